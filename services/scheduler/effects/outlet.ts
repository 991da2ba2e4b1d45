import { rpcError } from '#libs/rpc'

/** How much may wait for a reader that does not read, and how long it may take nothing of it. */
const maxWaitingBytes = 64 * 2 ** 20
const longestPauseMs = 10_000

export interface OutletPorts<Message> {
  /** About how many bytes a message has. */
  readonly sizeOf: (message: Message) => number
  readonly nowMs: () => number
}

/**
 * What is still to be said on a stream. It takes everything at once, because what is decided is said, and a client that comes
 * back may be told of a million tasks in one go. But who does not read makes the scheduler grow for everybody: when much waits
 * and nothing has been taken for a while, the stream ends with UNAVAILABLE (SLOW_READER), and what waits is dropped. Whoever
 * comes back is told again.
 */
export class Outlet<Message> implements AsyncIterable<Message> {
  readonly #ports: OutletPorts<Message>
  readonly #messages: { readonly message: Message; readonly byteLength: number }[] = []
  #waitingBytes = 0
  #takenAtMs: number
  #wake: (() => void) | undefined
  #putOff: NodeJS.Timeout | undefined
  #ended = false
  #error: Error | undefined
  #onSlow: () => void = () => undefined

  constructor(ports: OutletPorts<Message>) {
    this.#ports = ports
    this.#takenAtMs = ports.nowMs()
  }

  /** Says something. Ignored after the end. */
  push(message: Message): void {
    this.#add(message)
    this.#wake?.()
  }

  /**
   * Says something that is not urgent with what is said next, or by itself after so long: each time that it is spoken to takes the
   * other side some tenths of a millisecond, and the processor from a task.
   */
  putOff(message: Message, longestMs: number): void {
    this.#add(message)
    this.#putOff ??= setTimeout(() => {
      this.#putOff = undefined
      this.#wake?.()
    }, longestMs).unref()
  }

  #add(message: Message): void {
    if (this.#ended) return
    const byteLength = this.#ports.sizeOf(message)
    // Who has taken everything is not slow, however long there was nothing to take.
    if (this.#messages.length === 0) this.#takenAtMs = this.#ports.nowMs()
    this.#messages.push({ message, byteLength })
    this.#waitingBytes += byteLength
    const isSlow = this.#waitingBytes > maxWaitingBytes && this.#ports.nowMs() - this.#takenAtMs > longestPauseMs
    if (isSlow) this.#drop()
  }

  /** What to do when the reader is given up: it may be long until it reads that. */
  whenSlow(listener: () => void): void {
    this.#onSlow = listener
  }

  /** Nothing more is said; what waits is still sent, unless there was an error. */
  end(error?: Error): void {
    if (this.#ended) return
    this.#ended = true
    this.#error = error
    this.#wake?.()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Message, void> {
    try {
      for (;;) {
        if (this.#error) throw this.#error
        const next = this.#messages.shift()
        if (next !== undefined) {
          this.#waitingBytes -= next.byteLength
          this.#takenAtMs = this.#ports.nowMs()
          yield next.message
          continue
        }
        if (this.#ended) return
        await new Promise<void>((resolve) => (this.#wake = resolve))
        this.#wake = undefined
      }
    } finally {
      this.end()
      clearTimeout(this.#putOff)
      this.#messages.length = 0
    }
  }

  #drop(): void {
    const megabytes = Math.round(this.#waitingBytes / 2 ** 20)
    const message = `${megabytes} MiB waited for this reader, which took nothing for ${longestPauseMs / 1_000} s: read, and come back`
    this.end(rpcError('UNAVAILABLE', 'SLOW_READER', message, { retryDelayMs: 1_000 }))
    this.#messages.length = 0
    this.#waitingBytes = 0
    this.#onSlow()
  }
}
