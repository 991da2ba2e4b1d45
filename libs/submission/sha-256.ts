import { createHash } from 'node:crypto'

import { type Bytes, segmentsOf } from '#libs/memory'

/** Node digests less than 2 GiB at once. */
const mostBytes = 2 ** 30

/** SHA-256 in hexadecimal, of any length of bytes. */
export function sha256Of(bytes: Bytes): string {
  const hash = createHash('sha256')
  for (const piece of segmentsOf(bytes, mostBytes)) hash.update(piece)
  return hash.digest('hex')
}
