import { createHash } from 'node:crypto'

import { type Bytes, segmentsOf } from '#libs/memory'

/** Node digests less than 2 GiB at once. */
const mostBytes = 2 ** 30

/** SHA-256 in hexadecimal, of bytes that follow each other, of any length. */
export function sha256Of(parts: readonly Bytes[]): string {
  const hash = createHash('sha256')
  for (const part of parts) for (const piece of segmentsOf(part, mostBytes)) hash.update(piece)
  return hash.digest('hex')
}
