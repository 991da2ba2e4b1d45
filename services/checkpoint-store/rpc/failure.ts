import { randomUUID } from 'node:crypto'

import { ServerError } from 'nice-grpc-common'

import { rpcError } from '#libs/rpc'
import type { Logger } from '#libs/telemetry'

import { DiskFailedError, DiskFullError } from '../storage/chunk-store.js'

/**
 * What a caller hears of what went wrong in a transfer: refusals as they are, advice when the disk is full; else where the
 * cause is logged, because messages of the system name paths that are nobody's business. A disk that failed ends the process.
 */
export function explainFailure(
  error: unknown,
  { logger, onFatal }: { readonly logger: Logger; readonly onFatal: (error: unknown) => void },
): Error {
  if (error instanceof ServerError) return error
  if (error instanceof DiskFullError) return rpcError('RESOURCE_EXHAUSTED', 'DISK_FULL', error.message)
  const correlationId = randomUUID()
  logger.error({ err: error, correlationId }, 'the chunk storage failed')
  if (error instanceof DiskFailedError) onFatal(error)
  const message = `the checkpoint-store could not use its disk: its log says why (correlation id ${correlationId})`
  return rpcError('INTERNAL', 'STORAGE_FAILED', message, { metadata: { correlationId } })
}
