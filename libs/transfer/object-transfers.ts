import { randomUUID } from 'node:crypto'

import { Status } from 'nice-grpc-common'

import {
  DigestAlgorithm,
  type ObjectDescriptor,
  type TransferReceipt,
  type TransferSource,
  type Value,
} from '#libs/proto'

import { checkBatch, createBatchSink, type IncomingObject, sourceOfBatch } from './batch.js'
import { Batcher, type Movable } from './batcher.js'
import { xxh64Bytes, xxh64Of } from './digest.js'
import type { GetOptions, TransferTarget } from './dial.js'
import { sourceOfSegments } from './endpoint.js'
import { getFromHolders, isDamage, type ObjectHolder, putUntilWhole } from './holders.js'
import { smallObjectBytes } from './limits.js'
import type { ReceivedBody } from './memory-sink.js'
import type { TransferPool } from './pool.js'
import { getStriped, type StripedObject, stripedObjectBytes } from './striped-get.js'
import { TransferError } from './transfer-error.js'

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
  /** The body's digest, where it is known: then a large one can come from several hosts at once. */
  readonly xxh64?: bigint | undefined
}

/** An object to put into the memory of the worker at these addresses, and who hears of it. */
export interface ObjectPut extends NewObject, Movable<TransferReceipt> {
  readonly addresses: readonly string[]
  readonly sessionId: string
}

/** An object to get, and who is given it. */
export interface ObjectGet extends WantedObject, Movable<ReceivedBody> {}

/**
 * Objects to and from workers. Small ones that are moved at the same time share the frames of one transfer; for thousands of them
 * there are `startPut` and `startGet`, which make no promises.
 */
export interface ObjectTransfers {
  startPut(put: ObjectPut): void
  startGet(get: ObjectGet): void
  /**
   * Puts an object into the memory of the worker at these addresses.
   *
   * @throws TransferError as the worker refused it, DATA_LOSS when it arrives damaged each time, FAILED_PRECONDITION when it is not what
   * was digested any more.
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
   * Gets an object from its holders, or a part of it from one of them.
   *
   * @throws TransferError as `getFromHolders` does.
   */
  get(object: WantedObject, options?: Pick<GetOptions, 'trace' | 'range'>): Promise<ReceivedBody>
}

export function createObjectTransfers(pool: Pick<TransferPool, 'worker'>): ObjectTransfers {
  const puts = new Batcher<ObjectPut, TransferReceipt>({
    together: async (items) => {
      const { addresses, sessionId } = items[0] as ObjectPut
      const source = sourceOfBatch(items.map(describe), () => items.flatMap(({ segments }) => segments))
      const target: TransferTarget = { $case: 'objects', value: { objectIds: [] } }
      const receipt = await pool.worker(addresses).put(target, source, { requestId: randomUUID(), sessionId })
      return items.map(() => receipt)
    },
    alone: putAlone,
  })
  const gets = new Batcher<ObjectGet, ReceivedBody>({
    together: async (items) => {
      const { holders } = items[0] as ObjectGet
      let found: IncomingObject[] = []
      const target = { $case: 'objects', value: { objectIds: items.map(({ objectId }) => objectId) } } as const
      await pool.worker(holders[0]?.addresses ?? []).get(target, (header) => {
        const { objects, byteLength } = header
        checkBatch(objects, byteLength)
        return createBatchSink(header, (arrived) => void (found = arrived))
      })
      // In the order of asking. What is asked for twice comes once: the other one is got alone, in memory of its own.
      let next = 0
      return items.map(({ objectId }) => (found[next]?.objectId === objectId ? found[next++] : undefined))
    },
    alone: (object) => getWhole(object),
  })
  const putKeyOf = createPutKeys()

  async function putAlone(put: ObjectPut): Promise<TransferReceipt> {
    const { addresses, sessionId, objectId, structure, byteLength, segments, xxh64 } = put
    const digest = xxh64 === undefined ? undefined : xxh64Bytes(xxh64)
    const header = { structure, byteLength, digestAlgorithm: DigestAlgorithm.XXH64 }
    const options = { requestId: randomUUID(), sessionId }
    const target = { $case: 'objectId', value: objectId } as const
    const worker = pool.worker(addresses)
    return await putUntilWhole(async () => {
      try {
        return await worker.put(target, sourceOfSegments(header, segments, digest), options)
      } catch (error) {
        throw isDamage(error) && xxh64 !== undefined && xxh64Of(segments) !== xxh64 ? changed(objectId, error) : error
      }
    })
  }

  async function getWhole(object: WantedObject, options?: GetOptions): Promise<ReceivedBody> {
    const whole = (): Promise<ReceivedBody> => getFromHolders(pool, object.objectId, object.holders, options)
    const striped = stripedOf(object)
    // What does not come so may all the same be had from one of them.
    return await (striped ? getStriped(pool, striped, options).catch(whole) : whole())
  }

  function startPut(put: ObjectPut): void {
    if (isSmallObject(put)) puts.add(putKeyOf(put.sessionId, put.addresses), put)
    else puts.addAlone(put)
  }

  function startGet(get: ObjectGet): void {
    const [first] = get.holders
    if (first && get.byteLength <= smallObjectBytes) gets.add(nameOf(first.addresses), get)
    else gets.addAlone(get)
  }

  return {
    startPut,
    startGet,
    put: (addresses, object, sessionId) =>
      new Promise((moved, failed) => startPut({ ...object, addresses, sessionId, moved, failed })),
    fetch: async (addresses, objectId, sources, options) =>
      await pool
        .worker(addresses)
        .fetch({ $case: 'objectId', value: objectId }, sources, { ...options, requestId: randomUUID() }),
    get: (object, options) => {
      const { objectId, byteLength, holders } = object
      if (options?.range) return getFromHolders(pool, objectId, holders, options)
      if (holders.length > 0 && byteLength <= smallObjectBytes) {
        return new Promise((moved, failed) => startGet({ objectId, byteLength, holders, moved, failed }))
      }
      return getWhole(object, options)
    },
  }
}

/** It was digested before it was sent. */
function changed(objectId: string, cause: unknown): TransferError {
  const message = `object ${objectId} was changed by this program while it was put: wait until it is stored, or put a copy`
  return new TransferError(Status.FAILED_PRECONDITION, 'VALUE_CHANGED', message, { cause })
}

/** Whether an object travels in a batch. */
export function isSmallObject({
  byteLength,
  mostStructureBytes,
}: Pick<NewObject, 'byteLength' | 'mostStructureBytes'>): boolean {
  return byteLength + mostStructureBytes <= smallObjectBytes
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

/** One of the holders on each host: several on one would take each other's processors. */
function oneOnEachHost(holders: readonly ObjectHolder[]): ObjectHolder[] {
  return [...new Map(holders.map((holder) => [hostOf(holder), holder])).values()]
}

/** Whether an object is sent by several hosts at once, each some ranges of it: then its digest must be known. */
export function isStriped(byteLength: number, holders: readonly ObjectHolder[]): boolean {
  return byteLength >= stripedObjectBytes && oneOnEachHost(holders).length > 1
}

function stripedOf({ objectId, byteLength, holders, xxh64 }: WantedObject): StripedObject | undefined {
  if (xxh64 === undefined || !isStriped(byteLength, holders)) return undefined
  return { objectId, byteLength, xxh64, holders: oneOnEachHost(holders) }
}

function hostOf({ addresses: [first = ''] }: ObjectHolder): string {
  return first.slice(0, first.lastIndexOf(':'))
}

function describe({ objectId, structure, segments, byteLength, xxh64 }: NewObject): ObjectDescriptor {
  return { objectId, structure, byteLength: BigInt(byteLength), xxh64: xxh64 ?? xxh64Of(segments) }
}
