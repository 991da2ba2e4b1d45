import { Status } from 'nice-grpc-common'

import { allocateLarge, type Bytes, findReusedMemory, partOf, touchAhead, writeBytes } from '#libs/memory'
import { Durability, type TransferReceipt, type Value } from '#libs/proto'

import type { Sink } from './endpoint.js'
import { TransferError } from './transfer-error.js'

/** A body that came in: the bytes start at an 8-byte boundary, so typed arrays can be views of them. */
export interface ReceivedBody {
  readonly structure: Value | undefined
  readonly bytes: Bytes<ArrayBuffer>
}

/** A sink whose memory others may read as far as it is written. */
export interface MemorySink extends Sink {
  readonly bytes: Bytes<ArrayBuffer>
}

/**
 * A sink in fresh memory of the announced length; `keep` gets the whole body once it is checked.
 *
 * @throws TransferError RESOURCE_EXHAUSTED when there is no memory of that length.
 */
export function createMemorySink(
  header: { structure?: Value | undefined; byteLength: bigint },
  keep: (body: ReceivedBody, digest: Buffer) => void | Promise<void>,
): MemorySink {
  const { bytes, isWarm } = allocate(Number(header.byteLength))
  const touch = isWarm ? undefined : touchAhead(bytes)
  let position = 0
  return {
    bytes,
    place: (length) => partOf(bytes, position, position + length),
    write: (data) => {
      if (data.buffer !== bytes.buffer) writeBytes(bytes, data, position)
      position += data.byteLength
      touch?.(position)
    },
    commit: async (digest): Promise<TransferReceipt> => {
      await keep({ structure: header.structure, bytes }, digest)
      findReusedMemory()?.prepare()
      return { durability: Durability.MEMORY, version: 0n }
    },
    abort: () => undefined,
  }
}

function allocate(byteLength: number): { readonly bytes: Bytes<ArrayBuffer>; readonly isWarm: boolean } {
  try {
    return findReusedMemory()?.take(byteLength) ?? { bytes: allocateLarge(byteLength), isWarm: false }
  } catch (cause) {
    const message = `no memory for a body of ${byteLength} bytes: move it in parts, or give this process more memory`
    throw new TransferError(Status.RESOURCE_EXHAUSTED, 'OUT_OF_MEMORY', message, { cause })
  }
}
