import type { ObjectId } from '#libs/domain'
import type { ObjectDescriptor, Value } from '#libs/proto'
import { xxh64Of } from '#libs/transfer'

/** An object in memory: the structure, and its tensors' bytes, which nobody changes. */
export interface StoredObject {
  readonly objectId: ObjectId
  readonly structure: Value | undefined
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly xxh64: bigint
}

/** What the worker holds: results of its tasks, scattered buffers, and inputs that it fetched for them. */
export interface ObjectStore {
  readonly byteLength: number
  get(objectId: ObjectId): StoredObject | undefined
  /** Keeps a result or scattered buffer until it is released. Keeping the same object again changes nothing. */
  keep(object: Omit<StoredObject, 'xxh64'> & { readonly xxh64?: bigint }): StoredObject
  release(objectId: ObjectId): void
  descriptors(): ObjectDescriptor[]
}

export function createObjectStore(): ObjectStore {
  const objects = new Map<ObjectId, StoredObject>()
  let byteLength = 0
  return {
    get byteLength() {
      return byteLength
    },
    get: (objectId) => objects.get(objectId),
    keep: (object) => {
      const known = objects.get(object.objectId)
      if (known) return known
      const stored = { ...object, xxh64: object.xxh64 ?? xxh64Of([object.bytes]) }
      objects.set(object.objectId, stored)
      byteLength += object.bytes.byteLength
      return stored
    },
    release: (objectId) => {
      byteLength -= objects.get(objectId)?.bytes.byteLength ?? 0
      objects.delete(objectId)
    },
    descriptors: () => [...objects.values()].map(describe),
  }
}

/** What is known of an object without its bytes. */
export function describe({ objectId, structure, bytes, xxh64 }: StoredObject): ObjectDescriptor {
  return { objectId, structure, byteLength: BigInt(bytes.byteLength), xxh64 }
}
