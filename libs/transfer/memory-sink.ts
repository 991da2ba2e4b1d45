import { Durability, type TransferReceipt, type Value } from '#libs/proto'

import type { Sink } from './endpoint.js'

/** A body that came in: the bytes start at an 8-byte boundary, so typed arrays can be views of them. */
export interface ReceivedBody {
  readonly structure: Value | undefined
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** A sink in fresh memory of the announced length; `keep` gets the whole body once it is checked. */
export function createMemorySink(
  header: { structure?: Value | undefined; byteLength: bigint },
  keep: (body: ReceivedBody, digest: Buffer) => void | Promise<void>,
): Sink {
  const bytes = new Uint8Array(Number(header.byteLength))
  let position = 0
  return {
    write: (data) => {
      bytes.set(data, position)
      position += data.byteLength
    },
    commit: async (digest): Promise<TransferReceipt> => {
      await keep({ structure: header.structure, bytes }, digest)
      return { durability: Durability.MEMORY, version: 0n }
    },
    abort: () => undefined,
  }
}
