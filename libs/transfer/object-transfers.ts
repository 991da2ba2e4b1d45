import { randomUUID } from 'node:crypto'

import {
  DigestAlgorithm,
  type ObjectDescriptor,
  type TransferReceipt,
  type TransferSource,
  type Value,
} from '#libs/proto'

import { checkBatch, type IncomingObject, splitBatch, sourceOfBatch } from './batch.js'
import { Batcher } from './batcher.js'
import { xxh64Bytes, xxh64Of } from './digest.js'
import type { TransferOptions, TransferTarget } from './dial.js'
import { sourceOfSegments } from './endpoint.js'
import { getFromHolders, type ObjectHolder, putUntilWhole } from './holders.js'
import { smallObjectBytes } from './limits.js'
import { createMemorySink, type ReceivedBody } from './memory-sink.js'
import type { TransferPool } from './pool.js'

/** An object to put. Its segments must not change until it is stored. */
export interface NewObject {
  readonly objectId: string
  readonly structure: Value
  /** The serialized structure has at most so many bytes. */
  readonly mostStructureBytes: number
  readonly segments: readonly Uint8Array[]
  readonly byteLength: number
  /** The body's digest, where it is known: of what goes to many workers it is computed once. */
  readonly xxh64?: bigint | undefined
}

/** An object to get, and where. */
export interface WantedObject {
  readonly objectId: string
  readonly byteLength: number
  readonly holders: readonly ObjectHolder[]
}

/** Objects to and from workers. Small ones that are moved at the same time share the frames of one transfer. */
export interface ObjectTransfers {
  /**
   * Puts an object into the memory of the worker at these addresses.
   *
   * @throws TransferError as the worker refused it, DATA_LOSS when it arrives damaged each time.
   */
  put(addresses: readonly string[], object: NewObject, sessionId: string): Promise<TransferReceipt>
  /**
   * Has the worker at these addresses get an object by itself, as `TransferStream.fetch` does.
   *
   * @throws TransferError as the worker gave it up.
   */
  fetch(
    addresses: readonly string[],
    objectId: string,
    sources: readonly TransferSource[],
    options: { readonly sessionId?: string; readonly signal?: AbortSignal },
  ): Promise<TransferReceipt>
  /**
   * Gets an object from one of its holders.
   *
   * @throws TransferError as `getFromHolders` does.
   */
  get(object: WantedObject, options?: Pick<TransferOptions, 'trace'>): Promise<ReceivedBody>
}

export function createObjectTransfers(pool: Pick<TransferPool, 'worker'>): ObjectTransfers {
  const puts = new Batcher<Put, TransferReceipt>({
    together: async (items) => {
      const { addresses, sessionId } = items[0] as Put
      const objects = items.map(({ object }) => ({ descriptor: describe(object), segments: object.segments }))
      const target: TransferTarget = { $case: 'objects', value: { objectIds: [] } }
      const receipt = await pool
        .worker(addresses)
        .put(target, sourceOfBatch(objects), { requestId: randomUUID(), sessionId })
      return items.map(() => receipt)
    },
    alone: putAlone,
  })
  const gets = new Batcher<WantedObject, ReceivedBody>({
    together: async (items) => {
      const { holders } = items[0] as WantedObject
      let found: IncomingObject[] = []
      const target = { $case: 'objects', value: { objectIds: items.map(({ objectId }) => objectId) } } as const
      await pool.worker(holders[0]?.addresses ?? []).get(target, (header) => {
        const { objects, byteLength } = header
        checkBatch(objects, byteLength)
        return createMemorySink(header, ({ bytes }) => void (found = splitBatch(objects, bytes)))
      })
      // In the order of asking. What is asked for twice comes once: the other one is got alone, in memory of its own.
      let next = 0
      return items.map(({ objectId }) => (found[next]?.objectId === objectId ? found[next++] : undefined))
    },
    alone: ({ objectId, holders }) => getFromHolders(pool, objectId, holders),
  })

  const putKeyOf = createPutKeys()

  async function putAlone({ addresses, sessionId, object }: Put): Promise<TransferReceipt> {
    const { objectId, structure, byteLength, segments, xxh64 } = object
    const digest = xxh64 === undefined ? undefined : xxh64Bytes(xxh64)
    const header = { structure, byteLength, digestAlgorithm: DigestAlgorithm.XXH64 }
    const options = { requestId: randomUUID(), sessionId }
    const target = { $case: 'objectId', value: objectId } as const
    const worker = pool.worker(addresses)
    return await putUntilWhole(() => worker.put(target, sourceOfSegments(header, segments, digest), options))
  }

  return {
    put: (addresses, object, sessionId) => {
      const put = { addresses, sessionId, object, byteLength: object.byteLength }
      const isSmall = object.byteLength + object.mostStructureBytes <= smallObjectBytes
      return isSmall ? puts.add(putKeyOf(sessionId, addresses), put) : putAlone(put)
    },
    fetch: async (addresses, objectId, sources, options) =>
      await pool
        .worker(addresses)
        .fetch({ $case: 'objectId', value: objectId }, sources, { ...options, requestId: randomUUID() }),
    get: (object, options) => {
      const [first] = object.holders
      return first && object.byteLength <= smallObjectBytes
        ? gets.add(nameOf(first.addresses), object)
        : getFromHolders(pool, object.objectId, object.holders, options)
    },
  }
}

/** Ten thousand puts in a row are mostly of one session. */
function createPutKeys(): (sessionId: string, addresses: readonly string[]) => string {
  const keys = new Map<string, string>()
  let knownSession: string | undefined
  return (sessionId, addresses) => {
    if (sessionId !== knownSession) keys.clear()
    knownSession = sessionId
    const name = nameOf(addresses)
    let key = keys.get(name)
    if (key === undefined) keys.set(name, (key = `${sessionId} ${name}`))
    return key
  }
}

function nameOf(addresses: readonly string[]): string {
  return addresses.length === 1 ? (addresses[0] as string) : addresses.join()
}

interface Put {
  readonly addresses: readonly string[]
  readonly sessionId: string
  readonly object: NewObject
  readonly byteLength: number
}

function describe({ objectId, structure, segments, byteLength, xxh64 }: NewObject): ObjectDescriptor {
  return { objectId, structure, byteLength: BigInt(byteLength), xxh64: xxh64 ?? xxh64Of(segments) }
}
