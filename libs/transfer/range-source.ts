import { Status } from 'nice-grpc-common'

import { DigestAlgorithm, type TransferOpen } from '#libs/proto'

import type { Source } from './endpoint.js'
import { nameOf } from './target-name.js'
import { TransferError } from './transfer-error.js'

/** A part of a body, in bytes. */
export interface ByteRange {
  readonly start: number
  readonly byteLength: number
}

/**
 * The part of the body that is opened, which is a body of its own, with a digest of its own; without a range, all of it.
 *
 * @throws TransferError OUT_OF_RANGE for one that ends behind the body, FAILED_PRECONDITION while that is still arriving: whether it
 * is what was sent is not known before all of it is here.
 */
export function rangeOf(source: Source, open: Pick<TransferOpen, 'range' | 'target'>): Source {
  if (open.range === undefined) return source
  const range = { start: Number(open.range.start), byteLength: Number(open.range.byteLength) }
  const refusal = refusalOf(nameOf(open), source, range)
  if (refusal) {
    source.close?.()
    throw refusal
  }
  const { header, reusesMemory = false } = source
  return {
    // What is digested for the part alone need not be its name.
    header: { ...header, byteLength: range.byteLength, digestAlgorithm: DigestAlgorithm.XXH64 },
    reusesMemory,
    read: (offset) => firstOf(source.read(range.start + offset), range.byteLength - offset),
    verify: () => source.sentPart?.(),
    close: () => source.close?.(),
  }
}

function refusalOf(name: string, { header, arriving }: Source, range: ByteRange): TransferError | undefined {
  const { start, byteLength } = range
  if (start + byteLength > header.byteLength) {
    const message = `${name} has ${header.byteLength} bytes: it has no part of ${byteLength} from ${start} on`
    return new TransferError(Status.OUT_OF_RANGE, 'RANGE_BEHIND_END', message)
  }
  if (arriving === undefined) return undefined
  return new TransferError(Status.FAILED_PRECONDITION, 'STILL_ARRIVING', `${name} is still arriving here`)
}

async function* firstOf(
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  byteLength: number,
): AsyncGenerator<Uint8Array, void> {
  let left = byteLength
  if (left <= 0) return
  for await (const piece of pieces) {
    yield piece.byteLength <= left ? piece : piece.subarray(0, left)
    left -= piece.byteLength
    if (left <= 0) return
  }
}
