import { createHash } from 'node:crypto'

import { crc32c } from '@node-rs/crc32'
import { Xxh64, xxh64 } from '@node-rs/xxhash'

import { DigestAlgorithm } from '#libs/proto'

/** A digest over a body that comes in pieces. */
export interface Digester {
  update(bytes: Uint8Array): void
  digest(): Buffer
}

/** xxh64 guards objects in memory against errors; SHA-256 names bundles, blobs and checkpoints by their content. */
export function createDigester(algorithm: DigestAlgorithm): Digester {
  switch (algorithm) {
    case DigestAlgorithm.XXH64: {
      const hash = new Xxh64()
      return { update: (bytes) => void hash.update(bytes), digest: () => xxh64Bytes(hash.digest()) }
    }
    case DigestAlgorithm.SHA256: {
      const hash = createHash('sha256')
      return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest() }
    }
    default:
      throw new RangeError(`digest algorithm ${algorithm} is unknown here: upgrade this side`)
  }
}

/** xxh64 of a body. */
export function xxh64OfBytes(bytes: Uint8Array): bigint {
  return xxh64(bytes)
}

/** xxh64 of a body in pieces. */
export function xxh64Of(segments: readonly Uint8Array[]): bigint {
  if (segments.length === 1) return xxh64(segments[0] as Uint8Array)
  const hash = new Xxh64()
  for (const segment of segments) hash.update(segment)
  return hash.digest()
}

/** CRC-32C of a chunk, or of what came before it and the chunk. */
export function checksumOf(data: Uint8Array, before = 0): number {
  return crc32c(data, before)
}

/** An xxh64 as a digest is sent. */
export function xxh64Bytes(digest: bigint): Buffer {
  const bytes = Buffer.allocUnsafe(8)
  bytes.writeBigUInt64BE(digest)
  return bytes
}
