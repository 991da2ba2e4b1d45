import type { ObjectId } from '#libs/domain'
import { ObjectDescriptor, type Value } from '#libs/proto'
import { type WarmMemory, xxh64Of } from '#libs/transfer'

/** An object in memory: the structure, and its tensors' bytes, which nobody changes. */
export interface StoredObject {
  readonly objectId: ObjectId
  readonly bytes: Uint8Array<ArrayBuffer>
  /** What is known of it without its bytes. */
  readonly descriptor: ObjectDescriptor
  /** How long the descriptor is in a message. */
  readonly descriptorBytes: number
}

/** An object that is to be kept. */
export interface NewObject {
  readonly objectId: ObjectId
  readonly structure: Value | undefined
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly xxh64?: bigint
}

/** What the worker holds: results of its tasks, scattered buffers, and inputs that it fetched for them. */
export interface ObjectStore {
  readonly byteLength: number
  /** Where released bytes go, and those that come in may lie: whoever reads bytes later than now holds them there meanwhile. */
  readonly warm: WarmMemory | undefined
  get(objectId: ObjectId): StoredObject | undefined
  /** Keeps a result or scattered buffer until it is released. Keeping the same object again changes nothing. */
  keep(object: NewObject): StoredObject
  release(objectId: ObjectId): void
  values(): Iterable<StoredObject>
}

export function createObjectStore(warm?: WarmMemory): ObjectStore {
  const objects = new Map<ObjectId, StoredObject>()
  let byteLength = 0
  return {
    get byteLength() {
      return byteLength
    },
    warm,
    get: (objectId) => objects.get(objectId),
    keep: (object) => {
      const known = objects.get(object.objectId)
      if (known) return known
      const stored = describe(object)
      objects.set(object.objectId, stored)
      byteLength += object.bytes.byteLength
      return stored
    },
    release: (objectId) => {
      const released = objects.get(objectId)
      if (released === undefined) return
      byteLength -= released.bytes.byteLength
      objects.delete(objectId)
      warm?.give(released.bytes)
    },
    values: () => objects.values(),
  }
}

/** The object with what is known of it. */
export function describe({ objectId, structure, bytes, xxh64 = xxh64Of([bytes]) }: NewObject): StoredObject {
  const descriptor: ObjectDescriptor = { objectId, structure, byteLength: BigInt(bytes.byteLength), xxh64 }
  return { objectId, bytes, descriptor, descriptorBytes: ObjectDescriptor.encode(descriptor).finish().byteLength }
}
