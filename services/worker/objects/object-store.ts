import type { ObjectId } from '#libs/domain'
import { type Bytes, segmentsOf } from '#libs/memory'
import { descriptorByteLength, type ObjectDescriptor, type Value } from '#libs/proto'
import { type MappedCopy, xxh64Of } from '#libs/transfer'

import { BatchedObject, type BatchPlace } from './batch-memory.js'
import type { SpilledBody } from './spill-folder.js'

interface ObjectFacts {
  readonly objectId: ObjectId
  /** What is known of it without its bytes. */
  readonly descriptor: ObjectDescriptor
}

/** An object whose bytes are in memory; nobody changes them. */
export interface HeldObject extends ObjectFacts {
  readonly place: 'memory'
  /** Of what is mapped a buffer is made when they are first asked for. */
  readonly bytes: Bytes<ArrayBuffer>
  /** Where it lies, if that is with others. */
  readonly batched?: BatchPlace | undefined
  /** It is held no more. */
  readonly close?: () => void
}

/** An object whose bytes are on this worker's disk. */
export interface SpilledObject extends ObjectFacts {
  readonly place: 'disk'
  readonly body: SpilledBody
}

export type StoredObject = HeldObject | SpilledObject

/**
 * An object that is to be kept: its bytes, or a file of which they are a copy, and which is closed when it is not kept, or where it lies in
 * its batch.
 */
export type NewObject = { readonly objectId: ObjectId; readonly structure: Value | undefined } & (
  | {
      readonly bytes: Bytes<ArrayBuffer>
      readonly xxh64?: bigint
      readonly mapped?: undefined
      readonly batched?: undefined
    }
  | { readonly mapped: MappedCopy; readonly xxh64: bigint; readonly bytes?: undefined; readonly batched?: undefined }
  | { readonly batched: BatchPlace; readonly xxh64: bigint; readonly bytes?: undefined; readonly mapped?: undefined }
)

/** What the worker holds until it is released: results of its tasks and scattered buffers, in memory or on its disk. */
export interface ObjectStore {
  /** Bytes in memory, and on the disk. */
  readonly heldBytes: number
  readonly spilledBytes: number
  /** Bytes that are on their way into memory. */
  readonly arrivingBytes: number
  /** The object, which counts as used now. */
  get(objectId: ObjectId): StoredObject | undefined
  has(objectId: ObjectId): boolean
  /** Keeps a result or scattered buffer until it is released. Keeping the same object again changes nothing. */
  keep(object: NewObject): StoredObject
  /** The same of one that has come straight to the disk. */
  keepSpilled(objectId: ObjectId, structure: Value | undefined, body: SpilledBody): StoredObject
  release(objectId: ObjectId): void
  /** Gives an object up whose bytes are not what they were: those who want it hear that it is not here. */
  lose(object: SpilledObject): void
  /** What in memory was used longest ago. */
  oldest(): HeldObject | undefined
  /** The object's bytes are on the disk from now on. False when it was released meanwhile. */
  moveToDisk(object: HeldObject, body: SpilledBody): boolean
  /** Sets memory aside for what comes in; the answer gives it back. */
  expect(byteLength: number): () => void
  values(): Iterable<StoredObject>
}

/** Whom a store tells. */
export interface StoreListener {
  /** So much more is in memory, or is about to be. */
  readonly grew?: (byteLength: number) => void
  /** An object is not here any more though nobody has released it. */
  readonly lost?: (objectId: ObjectId) => void
}

/** `isLimited` says whether `oldest` will be asked for: where nothing is ever spilled it does not matter when what was used. */
export function createObjectStore({ grew, lost }: StoreListener = {}, isLimited = true): ObjectStore {
  // What was used last is last.
  const held = new Map<ObjectId, HeldObject>()
  const spilled = new Map<ObjectId, SpilledObject>()
  let heldBytes = 0
  let spilledBytes = 0
  let arrivingBytes = 0

  const find = (objectId: ObjectId): StoredObject | undefined => held.get(objectId) ?? spilled.get(objectId)

  function addSpilled(object: SpilledObject): void {
    spilled.set(object.objectId, object)
    spilledBytes += object.body.byteLength
  }

  function drop(object: StoredObject): void {
    if (object.place === 'memory') {
      held.delete(object.objectId)
      heldBytes -= byteLengthOf(object)
      object.close?.()
    } else {
      spilled.delete(object.objectId)
      spilledBytes -= object.body.byteLength
      object.body.remove()
    }
  }

  return {
    get heldBytes() {
      return heldBytes
    },
    get spilledBytes() {
      return spilledBytes
    },
    get arrivingBytes() {
      return arrivingBytes
    },
    get: (objectId) => {
      const object = held.get(objectId)
      if (object === undefined) return spilled.get(objectId)
      if (isLimited) {
        held.delete(objectId)
        held.set(objectId, object)
      }
      return object
    },
    has: (objectId) => find(objectId) !== undefined,
    keep: (object) => {
      const known = find(object.objectId)
      if (known) {
        object.mapped?.close()
        return known
      }
      const stored = describe(object)
      held.set(object.objectId, stored)
      const byteLength = byteLengthOf(stored)
      heldBytes += byteLength
      grew?.(byteLength)
      return stored
    },
    keepSpilled: (objectId, structure, body) => {
      const known = find(objectId)
      if (known) return known
      const descriptor = { objectId, structure, byteLength: BigInt(body.byteLength), xxh64: body.xxh64 }
      const stored: SpilledObject = { ...factsOf(descriptor), place: 'disk', body }
      addSpilled(stored)
      return stored
    },
    release: (objectId) => {
      const object = find(objectId)
      if (object) drop(object)
    },
    lose: (object) => {
      if (spilled.get(object.objectId) !== object) return
      drop(object)
      lost?.(object.objectId)
    },
    oldest: () => {
      for (const object of held.values()) if (byteLengthOf(object) > 0) return object
      return undefined
    },
    moveToDisk: (object, body) => {
      const { objectId, descriptor } = object
      if (held.get(objectId) !== object) return false
      drop(object)
      // Nothing of it but this: whatever else it has may keep its memory.
      addSpilled({ objectId, descriptor, place: 'disk', body })
      return true
    },
    expect: (byteLength) => {
      arrivingBytes += byteLength
      grew?.(byteLength)
      let isOver = false
      return () => {
        if (!isOver) arrivingBytes -= byteLength
        isOver = true
      }
    },
    values: function* () {
      yield* held.values()
      yield* spilled.values()
    },
  }
}

/** The object with what is known of it. One literal where it can be: small objects come by the thousand, and each spread is another object. */
function describe(object: NewObject): HeldObject {
  const { objectId, mapped, batched } = object
  if (batched) return new BatchedObject(batched)
  const descriptor = descriptorOf(object)
  if (mapped) {
    return {
      ...factsOf(descriptor),
      place: 'memory',
      get bytes() {
        return mapped.bytes
      },
      close: () => mapped.close(),
    }
  }
  return { objectId, descriptor, place: 'memory', bytes: object.bytes }
}

/** What is known of the object without its bytes. */
export function descriptorOf({ objectId, structure, xxh64, ...body }: NewObject): ObjectDescriptor {
  if (body.batched) return body.batched.descriptor
  const { byteLength } = body.mapped ?? body.bytes
  return {
    objectId,
    structure,
    byteLength: BigInt(byteLength),
    xxh64: xxh64 ?? xxh64Of(segmentsOf(body.bytes as Bytes)),
  }
}

/** How long an object in memory is, without looking at its bytes. */
export function byteLengthOf({ descriptor }: HeldObject): number {
  return Number(descriptor.byteLength)
}

function factsOf(descriptor: ObjectDescriptor): ObjectFacts {
  return { objectId: descriptor.objectId as ObjectId, descriptor }
}

/** How long a descriptor is in a message, if there is one. Not kept: of most objects nobody asks. */
export function descriptorBytesOf(descriptor: ObjectDescriptor | undefined): number {
  return descriptor ? descriptorByteLength(descriptor) : 0
}
