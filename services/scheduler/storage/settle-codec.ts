import type { JobId, WorkerId } from '#libs/domain'

import type { FactOf } from '../core/fact.js'
import type { AttemptRecord, ResultLocation } from '../core/state.js'

// A settle that finished, numbers little-endian: format; when; started; ended (64-bit floats); index; attempt; slot (32
// bits); the job's id and the worker's, each with its length before it (8 bits, 255 for no worker); for an object its bytes
// as it is held (64-bit float); payload or descriptor to the end.
const inlineFormat = 2
const objectFormat = 3
const fixedBytes = 1 + 3 * 8 + 3 * 4
const noWorker = 255

type Settle = FactOf<'taskSettled'>
type Covers<T, Names extends keyof T> = Exclude<keyof T, Names> extends never ? true : never
/** A field that is added must be written, too: then these no longer compile. */
export const covered: [
  Covers<Settle, 'kind' | 'atMs' | 'jobId' | 'index' | 'outcome' | 'record'>,
  Covers<AttemptRecord, 'attempt' | 'workerId' | 'slot' | 'startedAtMs' | 'endedAtMs'>,
  Covers<Extract<ResultLocation, { kind: 'inline' }>, 'kind' | 'payload'>,
  Covers<Extract<ResultLocation, { kind: 'object' }>, 'kind' | 'descriptor' | 'byteLength'>,
] = [true, true, true, true]

export function isSettle(bytes: Uint8Array): boolean {
  return bytes[0] === inlineFormat || bytes[0] === objectFormat
}

/** The settle in its own layout; nothing when it failed or does not fit. */
export function encodeSettle({ atMs, jobId, index, outcome, record }: Settle): Uint8Array | undefined {
  if (outcome.kind === 'failed') return undefined
  const { attempt, workerId, slot, startedAtMs, endedAtMs } = record
  const { result } = outcome
  const jobBytes = jobId.length
  const workerBytes = workerId === undefined ? 0 : Buffer.byteLength(workerId)
  // Job ids are ASCII.
  if (jobBytes > 255 || workerBytes >= noWorker) return undefined
  const body = result.kind === 'inline' ? result.payload : result.descriptor
  const bodyAt = fixedBytes + 2 + jobBytes + workerBytes + (result.kind === 'object' ? 8 : 0)
  const bytes = Buffer.allocUnsafe(bodyAt + body.byteLength)
  bytes[0] = result.kind === 'inline' ? inlineFormat : objectFormat
  bytes.writeDoubleLE(atMs, 1)
  bytes.writeDoubleLE(startedAtMs, 9)
  bytes.writeDoubleLE(endedAtMs, 17)
  bytes.writeUInt32LE(index, 25)
  bytes.writeUInt32LE(attempt, 29)
  bytes.writeUInt32LE(slot, 33)
  bytes[fixedBytes] = jobBytes
  bytes.write(jobId, fixedBytes + 1, 'latin1')
  const workerAt = fixedBytes + 1 + jobBytes
  bytes[workerAt] = workerId === undefined ? noWorker : workerBytes
  if (workerId !== undefined) bytes.write(workerId, workerAt + 1)
  if (result.kind === 'object') bytes.writeDoubleLE(result.byteLength, bodyAt - 8)
  bytes.set(body, bodyAt)
  return bytes
}

/** Payload and descriptor are views of the bytes. */
export function decodeSettle(encoded: Uint8Array): Settle {
  const bytes = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.byteLength)
  const jobBytes = bytes.readUInt8(fixedBytes)
  const workerAt = fixedBytes + 1 + jobBytes
  const workerBytes = bytes.readUInt8(workerAt)
  const workerEnd = workerAt + 1 + (workerBytes === noWorker ? 0 : workerBytes)
  const workerId = workerBytes === noWorker ? undefined : (bytes.toString('utf8', workerAt + 1, workerEnd) as WorkerId)
  const result: ResultLocation =
    bytes[0] === inlineFormat
      ? { kind: 'inline', payload: viewFrom(encoded, workerEnd) }
      : { kind: 'object', descriptor: viewFrom(encoded, workerEnd + 8), byteLength: bytes.readDoubleLE(workerEnd) }
  return {
    kind: 'taskSettled',
    atMs: bytes.readDoubleLE(1),
    jobId: bytes.toString('latin1', fixedBytes + 1, workerAt) as JobId,
    index: bytes.readUInt32LE(25),
    outcome: { kind: 'finished', result },
    record: {
      attempt: bytes.readUInt32LE(29),
      workerId,
      slot: bytes.readUInt32LE(33),
      startedAtMs: bytes.readDoubleLE(9),
      endedAtMs: bytes.readDoubleLE(17),
    },
  }
}

function viewFrom(bytes: Uint8Array, start: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + start, bytes.byteLength - start)
}
