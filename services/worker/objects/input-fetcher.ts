import type { ObjectId, TaskFailure } from '#libs/domain'
import type { Bytes } from '#libs/memory'
import { type BlobRef, type ObjectDescriptor, Payload, type Result, type TaskInput } from '#libs/proto'
import { loadBlob } from '#libs/session'
import { createObjectTransfers, TransferError, type TransferPool } from '#libs/transfer'
import { inspectValue } from '#libs/value'

import { type AttemptKey, keyOf, type TaskOrder } from '../core/state.js'
import type { FetchedInput, FetchedInputs } from './fetched-input.js'
import type { FetchedBody, InputCache } from './input-cache.js'
import { createFetchSpeed } from './fetch-speed.js'
import type { MemoryRoom } from './memory-room.js'
import type { ObjectStore, SpilledObject, StoredObject } from './object-store.js'
import { readBody } from './stored-body.js'

/** What the core sees as opaque inputs of an order. */
export type WantedInput =
  { readonly kind: 'object'; readonly input: TaskInput } | { readonly kind: 'blob'; readonly blob: BlobRef }

/** Brings what tasks refer to into this worker's memory before they run. */
export interface InputFetcher {
  fetch(order: TaskOrder): Promise<void>
  /** What was fetched for the attempt. */
  inputsOf(key: AttemptKey): FetchedInputs
  drop(key: AttemptKey): void
  /** How fast large inputs come from elsewhere, smoothed; 0 before the first. */
  bytesPerSecond(): number
  /** Brings a result that a task asks for while it runs. */
  fetchResult(objectId: string, result: Result): Promise<FetchedInput>
}

type Trace = Readonly<Record<string, string>>

const none: FetchedInputs = new Map()

/** Everything that an order's arguments refer to: objects as the scheduler resolved them, blobs as the client named them. */
export function findWanted(input: Uint8Array, resolved: readonly TaskInput[]): WantedInput[] {
  const wanted: WantedInput[] = resolved.map((object) => ({ kind: 'object', input: object }))
  const { root, body } = Payload.decode(input)
  inspectValue(root, body.byteLength, ({ target }) => {
    if (target?.$case === 'blob') wanted.push({ kind: 'blob', blob: target.value })
  })
  return wanted
}

export function createInputFetcher(
  store: ObjectStore,
  room: Pick<MemoryRoom, 'take'>,
  cache: InputCache,
  pool: TransferPool,
  storeAddresses: () => Promise<readonly string[]>,
): InputFetcher {
  const objects = createObjectTransfers(pool)
  const speed = createFetchSpeed()
  const fetched = new Map<AttemptKey, Map<string, FetchedInput>>()
  // Attempts that want the same object at the same time share one transfer.
  const underWay = new Map<string, Promise<FetchedBody>>()

  /** Waits for room: what is sent ahead would bring the inputs of many tasks at once. */
  async function bring(byteLength: number, fetch: () => Promise<FetchedBody>): Promise<FetchedBody> {
    const isHere = await room.take(byteLength)
    try {
      return await fetch()
    } finally {
      isHere()
    }
  }

  const share = (
    name: string,
    byteLength: number,
    fetch: () => Promise<FetchedBody>,
  ): FetchedBody | Promise<FetchedBody> => {
    const known = cache.get(name) ?? underWay.get(name)
    if (known) return known
    const started = bring(byteLength, fetch)
      .then((body) => {
        cache.keep(name, body)
        return body
      })
      .finally(() => underWay.delete(name))
    underWay.set(name, started)
    return started
  }

  async function fetchOne(wanted: WantedInput, trace: Trace): Promise<[string, FetchedInput]> {
    if (wanted.kind === 'blob') {
      const { blob } = wanted
      const name = `blob:${blob.digest}`
      return [name, await share(name, Number(blob.byteLength), () => fetchBlob(blob, trace))]
    }
    const { objectId, result } = wanted.input
    if (result?.location?.$case === 'payload') return [objectId, { kind: 'payload', payload: result.location.value }]
    const held = store.get(objectId as ObjectId)
    if (held?.place === 'memory') return [objectId, bodyOf(held, held.bytes)]
    const name = nameOf(objectId, result)
    if (held) return [objectId, await share(name, held.body.byteLength, () => readSpilled(held))]
    const byteLength = Number(descriptorOf(result)?.byteLength ?? 0n)
    return [objectId, await share(name, byteLength, () => fetchObject(objectId, result, trace))]
  }

  async function readSpilled(object: SpilledObject): Promise<FetchedBody> {
    try {
      return bodyOf(object, await readBody(store, object))
    } catch (error) {
      throw new InputError('INPUT_UNAVAILABLE', `input ${object.objectId}: ${(error as Error).message}`)
    }
  }

  async function fetchObject(objectId: string, result: Result | undefined, trace: Trace): Promise<FetchedBody> {
    const descriptor = descriptorOf(result)
    const { holders = [], blobDigest } = result ?? {}
    try {
      // Those that hold it as well are about to leave, mostly.
      const loaded =
        blobDigest && (await loadBlob(pool, storeAddresses, blobDigest, { trace }).catch(unlessHeld(holders)))
      if (loaded) return { kind: 'body', structure: descriptor?.structure, bytes: loaded.bytes }
      const byteLength = Number(descriptor?.byteLength ?? 0n)
      const startMs = performance.now()
      const { structure, bytes } = await objects.get(
        { objectId, byteLength, holders, xxh64: descriptor?.xxh64 },
        { trace },
      )
      speed.learn(byteLength, performance.now() - startMs)
      return { kind: 'body', structure, bytes }
    } catch (error) {
      throw new InputError('INPUT_UNAVAILABLE', `input ${objectId} could not be fetched: ${(error as Error).message}`)
    }
  }

  async function fetchBlob(blob: BlobRef, trace: Trace): Promise<FetchedBody> {
    try {
      const { bytes } = await loadBlob(pool, storeAddresses, blob.digest, { trace })
      return { kind: 'body', structure: blob.structure, bytes }
    } catch (error) {
      const reason =
        error instanceof TransferError && error.reason === 'BLOB_NOT_FOUND' ? 'INPUT_LOST' : 'INPUT_UNAVAILABLE'
      throw new InputError(
        reason,
        `input blob ${blob.digest.slice(0, 12)} could not be loaded: ${(error as Error).message}`,
      )
    }
  }

  return {
    fetch: async (order) => {
      const inputs = await Promise.all(
        (order.inputs as readonly WantedInput[]).map((wanted) => fetchOne(wanted, order.trace)),
      )
      fetched.set(keyOf(order), new Map(inputs))
    },
    inputsOf: (key) => fetched.get(key) ?? none,
    bytesPerSecond: () => speed.bytesPerSecond,
    drop: (key) => void fetched.delete(key),
    fetchResult: async (objectId, result) => {
      const input = { objectId, result, madeBy: undefined }
      return (await fetchOne({ kind: 'object', input }, {}))[1]
    },
  }
}

function bodyOf({ descriptor }: StoredObject, bytes: Bytes<ArrayBuffer>): FetchedBody {
  return { kind: 'body', structure: descriptor.structure, bytes }
}

/** What the checkpoint-store cannot give may still be with who brought it there. */
function unlessHeld(holders: readonly unknown[]): (error: unknown) => undefined {
  return (error) => {
    if (holders.length === 0) throw error
  }
}

/** What is computed again may be something else: the same object with another digest is another input. */
function nameOf(objectId: string, result: Result | undefined): string {
  const descriptor = descriptorOf(result)
  return descriptor ? `${objectId} ${descriptor.xxh64}` : objectId
}

function descriptorOf(result: Result | undefined): ObjectDescriptor | undefined {
  return result?.location?.$case === 'object' ? result.location.value : undefined
}

/** An input that cannot be had here and now. */
class InputError extends Error {
  readonly reason: string

  constructor(reason: string, message: string) {
    super(message)
    this.reason = reason
  }
}

/** How a task fails whose inputs cannot be had; INPUT_UNAVAILABLE lets the scheduler try again. */
export function failureOfFetch(error: unknown): TaskFailure {
  const reason = error instanceof InputError ? error.reason : 'INPUT_UNAVAILABLE'
  return { kind: 'input', reason, message: error instanceof Error ? error.message : String(error) }
}
