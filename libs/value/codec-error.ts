/** A value came that the codec it needs cannot build here. */
export class CodecError extends Error {
  override readonly name = 'CodecError'
  readonly code = 'FAILED_PRECONDITION'
  readonly reason: 'UNKNOWN_CODEC' | 'CODEC_FAILED'

  constructor(reason: CodecError['reason'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.reason = reason
  }
}

/** `what` is what messages call the value. */
export function unknownCodec(codec: string, what: string): CodecError {
  const message =
    `${what} was encoded by codec '${codec}', which is not registered here: ` +
    `call registerCodec('${codec}', …) in the task's module, or in one that it imports, and import that in the program`
  return new CodecError('UNKNOWN_CODEC', message)
}

export function failedCodec(codec: string, what: string, cause: unknown): CodecError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new CodecError('CODEC_FAILED', `${what} could not be built: decode of codec '${codec}' threw: ${why}`, {
    cause,
  })
}
