import { Status } from 'nice-grpc-common'

import { maxBodyBytes } from '#libs/memory'
import { DigestAlgorithm, type TransferHeader } from '#libs/proto'

import type { BodyHeader } from './endpoint.js'
import { TransferError } from './transfer-error.js'

/** What is sent of a body before its bytes. */
export function headerOf(header: BodyHeader): TransferHeader {
  return {
    structure: header.structure,
    byteLength: BigInt(header.byteLength),
    digestAlgorithm: header.digestAlgorithm,
    version: BigInt(header.version ?? 0),
    checkpointInfo: header.checkpointInfo,
    objects: [...(header.objects ?? [])],
  }
}

/** @throws TransferError INVALID_ARGUMENT for a body that is too long, or digested in an unknown way. */
export function checkHeader(name: string, { byteLength, digestAlgorithm }: TransferHeader): void {
  if (byteLength > BigInt(maxBodyBytes)) {
    const gigabytes = (Number(byteLength) / 1e9).toFixed(1)
    throw new TransferError(
      Status.INVALID_ARGUMENT,
      'OBJECT_TOO_LARGE',
      `${name} has ${gigabytes} GB, but one object may have at most ${maxBodyBytes / 2 ** 30} GiB: pass it in parts`,
    )
  }
  if (digestAlgorithm !== DigestAlgorithm.XXH64 && digestAlgorithm !== DigestAlgorithm.SHA256) {
    throw new TransferError(
      Status.INVALID_ARGUMENT,
      'UNKNOWN_DIGEST_ALGORITHM',
      `${name}: digest algorithm ${digestAlgorithm} is unknown here; send xxh64 or SHA-256`,
    )
  }
}
