import { type Bytes, segmentsOf } from '#libs/memory'
import { DigestAlgorithm } from '#libs/proto'
import { type Source, sourceOfSegments, xxh64Bytes } from '#libs/transfer'

import type { ObjectStore, SpilledObject, StoredObject } from './object-store.js'

/**
 * The bytes of an object, wherever they are.
 *
 * @throws TransferError DATA_LOSS when the disk does not give back what was spilled; the store has lost the object then.
 */
export async function readBody(store: ObjectStore, object: StoredObject): Promise<Bytes<ArrayBuffer>> {
  if (object.place === 'memory') return object.bytes
  try {
    return await object.body.read()
  } catch (error) {
    store.lose(object)
    throw error
  }
}

/** The object as others get it: what is on the disk is read while it is sent. */
export function sourceOf(store: ObjectStore, object: StoredObject): Source {
  const { descriptor } = object
  const header = {
    structure: descriptor.structure,
    byteLength: Number(descriptor.byteLength),
    digestAlgorithm: DigestAlgorithm.XXH64,
  }
  if (object.place === 'memory') return sourceOfSegments(header, segmentsOf(object.bytes), xxh64Bytes(descriptor.xxh64))
  return {
    header,
    read: (offset) => readSpilled(store, object, offset),
    verify: (digest) => {
      if (digest.equals(xxh64Bytes(descriptor.xxh64))) return
      store.lose(object)
      throw object.body.damage()
    },
  }
}

/** The bytes of what is on the disk, from there on; what the disk does not give back is lost. */
export async function* readSpilled(
  store: ObjectStore,
  object: SpilledObject,
  offset: number,
): AsyncGenerator<Uint8Array, void> {
  try {
    yield* object.body.readFrom(offset)
  } catch (cause) {
    store.lose(object)
    throw object.body.damage(cause)
  }
}
