/**
 * How long a `Uint8Array` is at most: in Node 20 typed arrays have at most 2^32 elements, so that one of doubles may have 32 GiB, and one of
 * bytes 4. What has more is read and written in segments. `COSTATE_SEGMENT_BYTES` lets tests have short ones; a multiple of 8.
 */
export const segmentBytes = Number(process.env['COSTATE_SEGMENT_BYTES'] ?? 2 ** 32)

/** More than an array of doubles can have in Node 20: who says that a body has more is wrong. */
export const maxBodyBytes = 2 ** 35

/** Where bytes lie: a `Uint8Array` up to the length of a segment, of any length otherwise. */
export interface Bytes<B extends ArrayBufferLike = ArrayBufferLike> {
  readonly buffer: B
  readonly byteOffset: number
  readonly byteLength: number
}

/** Bytes of a buffer. */
export function bytesOf<B extends ArrayBufferLike>(
  buffer: B,
  byteOffset = 0,
  byteLength = buffer.byteLength,
): Bytes<B> {
  return byteLength <= segmentBytes
    ? new Uint8Array(buffer, byteOffset, byteLength)
    : (new DataView(buffer as ArrayBuffer, byteOffset, byteLength) as unknown as Bytes<B>)
}

/** A part of them, of at most a segment: as `subarray`. */
export function partOf<B extends ArrayBufferLike>(bytes: Bytes<B>, start: number, end: number): Uint8Array<B> {
  if (bytes instanceof Uint8Array) return bytes.subarray(start, end) as Uint8Array<B>
  const { buffer, byteOffset, byteLength } = bytes
  return new Uint8Array(buffer, byteOffset + start, Math.max(0, Math.min(end, byteLength) - start))
}

/**
 * All of them at once.
 *
 * @throws RangeError when there are more than a segment has.
 */
export function wholeOf<B extends ArrayBufferLike>(bytes: Bytes<B>): Uint8Array<B> {
  if (!isSegmented(bytes)) return partOf(bytes, 0, bytes.byteLength)
  throw new RangeError(`${bytes.byteLength} bytes are more than can be had at once here: ${segmentBytes}`)
}

/** All of them, in segments, or in shorter pieces. */
export function segmentsOf<B extends ArrayBufferLike>(bytes: Bytes<B>, mostBytes = segmentBytes): Uint8Array<B>[] {
  if (bytes instanceof Uint8Array && bytes.byteLength <= mostBytes) return [bytes as Uint8Array<B>]
  const { buffer, byteOffset, byteLength } = bytes
  return Array.from({ length: Math.ceil(byteLength / mostBytes) }, (_, index) => {
    const start = index * mostBytes
    return new Uint8Array(buffer, byteOffset + start, Math.min(mostBytes, byteLength - start))
  })
}

/** A copy in this memory, which has as many. */
export function copyBytes<B extends ArrayBufferLike>(from: Bytes, buffer: B): Bytes<B> {
  const copy = bytesOf(buffer)
  let at = 0
  for (const segment of segmentsOf(from)) {
    writeBytes(copy, segment, at)
    at += segment.byteLength
  }
  return copy
}

/** Writes these there, as `set`. */
export function writeBytes(to: Bytes, from: Uint8Array, at: number): void {
  if (to instanceof Uint8Array) to.set(from, at)
  else partOf(to, at, at + from.byteLength).set(from)
}

/** Whether there are more than a segment has. */
export function isSegmented({ byteLength }: Pick<Bytes, 'byteLength'>): boolean {
  return byteLength > segmentBytes
}
