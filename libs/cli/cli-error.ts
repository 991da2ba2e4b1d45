import { BundleError } from '#libs/bundle'
import { MeshError } from '#libs/client'
import { readRpcFailure } from '#libs/rpc'

/** What the exit code says to whoever ran the command. */
export const exitCodes = {
  ok: 0,
  /** It was understood and tried, and did not succeed. */
  failed: 1,
  /** Wrong arguments: trying again does not help. */
  usage: 2,
  /** The mesh, job, file or folder is not there or does not answer. */
  notFound: 3,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** A command cannot do what it was told; the message says what to do next. */
export class CliError extends Error {
  override readonly name = 'CliError'

  constructor(
    readonly exitCode: ExitCode,
    /** UPPER_SNAKE, for programs. */
    readonly reason: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

/** What is told of an error, and how the command ends for it. */
export interface CliFailure {
  readonly exitCode: ExitCode
  readonly reason: string
  readonly message: string
}

const unreachableCodes = ['NOT_FOUND', 'UNAVAILABLE', 'DEADLINE_EXCEEDED']

/** Sorts whatever a command threw. */
export function failureOf(error: unknown): CliFailure {
  if (error instanceof CliError) return error
  if (error instanceof BundleError) return { exitCode: exitCodes.failed, reason: error.code, message: error.message }
  // The SDK's answer to numbers and names that make no sense.
  if (error instanceof RangeError) return { exitCode: exitCodes.usage, reason: 'BAD_ARGUMENT', message: error.message }
  const { code, reason, message } = error instanceof MeshError ? error : readRpcFailure(error)
  const exitCode = unreachableCodes.includes(code) ? exitCodes.notFound : exitCodes.failed
  return { exitCode, reason: reason || code, message }
}
