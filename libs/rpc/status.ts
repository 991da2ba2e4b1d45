import { ClientError, ServerError, Status } from 'nice-grpc-common'
import {
  decodeStatusDetails,
  DETAILS_KEY,
  encodeStatus,
  type FieldViolation,
  type PreconditionViolation,
  type QuotaViolation,
  type Resource,
  type StatusDetails,
} from './status-details.js'
import { type StatusName, statusNameOf } from './status-name.js'
import { fitWireText } from './wire-text.js'

export type { StatusName } from './status-name.js'

/** What a caller may learn from a failed call. */
export interface RpcFailure {
  readonly code: StatusName
  /** ErrorInfo.reason, UPPER_SNAKE; undefined when the peer sent no details (it was never reached, or is not ours). */
  readonly reason: string | undefined
  readonly message: string
  readonly metadata: Readonly<Record<string, string>>
  /** RetryInfo: do not call again before. */
  readonly retryDelayMs: number | undefined
  /** BadRequest: which fields of the request were refused. */
  readonly fieldViolations?: readonly FieldViolation[]
  /** ResourceInfo: what was not found, or is in the way. */
  readonly resource?: Resource
  /** PreconditionFailure: what must be true before. */
  readonly preconditions?: readonly PreconditionViolation[]
  /** QuotaFailure: which limits are reached. */
  readonly quotas?: readonly QuotaViolation[]
}

export interface RpcErrorExtra {
  readonly metadata?: Readonly<Record<string, string>>
  readonly retryDelayMs?: number
  readonly fieldViolations?: readonly FieldViolation[]
  readonly resource?: Resource
  readonly preconditions?: readonly PreconditionViolation[]
  readonly quotas?: readonly QuotaViolation[]
}

const MESSAGE_LIMIT_BYTES = 2_048
/** What is full now may have room again. A server that knows when says so itself. */
const EXHAUSTED_RETRY_DELAY_MS = 1_000

/** A ServerError that knows its google.rpc.Status. */
class RichServerError extends ServerError {
  constructor(
    readonly statusName: StatusName,
    message: string,
    readonly statusDetails: StatusDetails,
  ) {
    super(Status[statusName], message)
  }
}

/** A ClientError that knows what the server said in its google.rpc.Status. */
export class RpcClientError extends ClientError {
  constructor(
    error: ClientError,
    readonly failure: RpcFailure,
  ) {
    super(error.path, error.code, error.details)
    if (error.stack !== undefined) this.stack = error.stack
  }
}

/**
 * The one error for the wire. `reason` is UPPER_SNAKE and tells programs what happened, within the domain `costate`;
 * `message` tells a person what happened, to what, and what to do next. Both travel as google.rpc.Status with
 * ErrorInfo always, the others where given; RESOURCE_EXHAUSTED always has RetryInfo. Long texts are cut so that all
 * trailers stay below 8 KiB.
 */
export function rpcError(code: StatusName, reason: string, message: string, extra: RpcErrorExtra = {}): ServerError {
  if (!/^[A-Z][A-Z0-9_]{0,62}$/.test(reason)) throw new TypeError(`reason '${reason}' is not UPPER_SNAKE`)
  return new RichServerError(code, fitWireText(message, MESSAGE_LIMIT_BYTES), {
    reason,
    metadata: extra.metadata ?? {},
    retryDelayMs: extra.retryDelayMs ?? (code === 'RESOURCE_EXHAUSTED' ? EXHAUSTED_RETRY_DELAY_MS : undefined),
    fieldViolations: extra.fieldViolations ?? [],
    resource: extra.resource,
    preconditions: extra.preconditions ?? [],
    quotas: extra.quotas ?? [],
  })
}

/** The `grpc-status-details-bin` of an error that `rpcError` made, undefined for any other. */
export function statusBytesOf(error: unknown): Uint8Array | undefined {
  if (!(error instanceof RichServerError)) return undefined
  return encodeStatus(error.code, error.details, error.statusDetails)
}

/** Reads whatever a client call threw: a ClientError with or without rich details, an AbortError, anything. */
export function readRpcFailure(error: unknown): RpcFailure {
  if (error instanceof RpcClientError) return error.failure
  if (error instanceof RichServerError) return toFailure(error.statusName, error.details, error.statusDetails)
  if (error instanceof ClientError || error instanceof ServerError) {
    return toFailure(statusNameOf(error.code), error.details, undefined)
  }
  if (isServiceError(error)) return toFailure(statusNameOf(error.code), error.details, detailsOf(error.metadata))
  const message = error instanceof Error ? error.message : String(error)
  return toFailure(isAbortError(error) ? 'CANCELLED' : 'UNKNOWN', message, undefined)
}

/** The failure that a server reported by code and message, with its trailing `grpc-status-details-bin` if any. */
export function failureOf(code: number, message: string, statusBytes: Uint8Array | undefined): RpcFailure {
  const details = statusBytes === undefined ? undefined : decodeStatusDetails(statusBytes)
  return toFailure(statusNameOf(code), message, details)
}

/** Whether this is what an aborted signal makes calls and waits throw. */
export function isAbortError(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'name' in error && error.name === 'AbortError'
}

function toFailure(code: StatusName, message: string, details: StatusDetails | undefined): RpcFailure {
  const failure = {
    code,
    reason: details === undefined || details.reason === '' ? undefined : details.reason,
    message,
    metadata: details?.metadata ?? {},
    retryDelayMs: details?.retryDelayMs,
  }
  if (details === undefined) return failure
  const { fieldViolations, resource, preconditions = [], quotas = [] } = details
  return {
    ...failure,
    ...(fieldViolations.length > 0 && { fieldViolations }),
    ...(resource && { resource }),
    ...(preconditions.length > 0 && { preconditions }),
    ...(quotas.length > 0 && { quotas }),
  }
}

/** The shape of what grpc-js itself throws, without loading it. */
interface ServiceErrorLike {
  readonly code: number
  readonly details: string
  readonly metadata: { get(key: string): readonly unknown[] }
}

function isServiceError(error: unknown): error is ServiceErrorLike {
  if (!(error instanceof Error) || !('code' in error) || !('details' in error) || !('metadata' in error)) return false
  const { metadata } = error
  const hasGet = typeof metadata === 'object' && metadata !== null && 'get' in metadata
  return typeof error.code === 'number' && typeof error.details === 'string' && hasGet
}

function detailsOf(metadata: ServiceErrorLike['metadata']): StatusDetails | undefined {
  const [bytes] = metadata.get(DETAILS_KEY)
  return bytes instanceof Uint8Array ? decodeStatusDetails(bytes) : undefined
}
