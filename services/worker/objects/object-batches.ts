import type { ObjectId } from '#libs/domain'
import { wholeOf } from '#libs/memory'
import type { TransferHeader, TransferOpen } from '#libs/proto'
import { batchBytes, checkBatch, createLyingBatchSink, type Sink, type Source, sourceOfBatch } from '#libs/transfer'

import type { AnnounceStored } from './announcements.js'
import { BatchMemory } from './batch-memory.js'
import type { MemoryRoom } from './memory-room.js'
import {
  byteLengthOf,
  descriptorBytesOf,
  type HeldObject,
  type NewObject,
  type ObjectStore,
  type StoredObject,
} from './object-store.js'
import {
  checkDigestAlgorithm,
  checkSame,
  checkStructure,
  keepOnce,
  noRoom,
  objectIdToDomain,
  sessionToDomain,
} from './put-checks.js'

/** Small objects to and from a worker's memory, many in one transfer, and in one report to the scheduler. */
export interface ObjectBatches {
  openSource(objectIds: readonly string[]): Source
  openSink(open: TransferOpen, header: TransferHeader): Sink
}

export function createObjectBatches(
  store: ObjectStore,
  announce: AnnounceStored,
  room: Pick<MemoryRoom, 'has' | 'limitBytes'>,
): ObjectBatches {
  return {
    openSource: (objectIds) => {
      const objects = fitting(store, objectIds)
      const letGo = holdMemory(objects)
      const pieces = objects.map((object) => object.batched?.piece ?? wholeOf(object.bytes))
      const source = sourceOfBatch(
        objects.map(({ descriptor }) => descriptor),
        () => pieces,
      )
      return {
        ...source,
        close: () => {
          source.close?.()
          letGo()
        },
      }
    },
    openSink: (open, header) => {
      const sessionId = sessionToDomain(open)
      const { objects, byteLength } = header
      checkBatch(objects, byteLength)
      checkDigestAlgorithm('a batch of objects', header)
      checkObjects(objects)
      // Who is refused puts them one by one, and each finds its place on the disk.
      if (!room.has(Number(byteLength)))
        throw noRoom(`a batch of ${objects.length} objects`, Number(byteLength), room.limitBytes)
      return createLyingBatchSink(header, async (pieces, body, giveUp) => {
        const memory = new BatchMemory(body, giveUp)
        const arrived = objects.map((descriptor, index) => ({
          objectId: descriptor.objectId as ObjectId,
          structure: descriptor.structure,
          xxh64: descriptor.xxh64,
          batched: { memory, piece: pieces[index] as Uint8Array, descriptor },
        }))
        const stored = keepTogether(store, arrived, memory)
        await announce({ requestId: '', sessionId, objects: stored.map(({ descriptor }) => descriptor) })
      })
    },
  }
}

/** All or none: who is refused puts them one by one. */
function keepTogether(store: ObjectStore, arrived: readonly NewObject[], memory: BatchMemory): StoredObject[] {
  // The first may be spilled before the second lies there, and then nothing would.
  const letGo = memory.hold()
  try {
    for (const object of arrived) {
      const held = store.get(object.objectId)
      if (held) checkSame(`object ${object.objectId}`, held, object)
    }
    return arrived.map((object) => keepOnce(store, object))
  } finally {
    letGo()
  }
}

/** Nothing of them is used for something else until the answer is called. */
function holdMemory(objects: readonly HeldObject[]): () => void {
  const memories = new Set(objects.flatMap(({ batched }) => batched?.memory ?? []))
  const letGo = [...memories].map((memory) => memory.hold())
  return () => {
    for (const each of letGo) each()
  }
}

/** What it says of objects that are alike is checked once. */
function checkObjects(objects: TransferHeader['objects']): void {
  let last: TransferHeader['objects'][number] | undefined
  for (const object of objects) {
    const { objectId, structure, byteLength } = object
    objectIdToDomain(objectId)
    if (structure === undefined || structure !== last?.structure || byteLength !== last.byteLength)
      checkStructure(`object ${objectId}`, structure, byteLength)
    last = object
  }
}

/** Those of the objects that are in memory and fit into a batch, each once, in the order of asking. */
function fitting(store: ObjectStore, objectIds: readonly string[]): HeldObject[] {
  let bytes = 0
  let descriptorBytes = 0
  const objects: HeldObject[] = []
  for (const objectId of new Set(objectIds)) {
    const object = store.get(objectId as ObjectId)
    if (object?.place !== 'memory') continue
    const more = descriptorBytesOf(object.descriptor)
    const byteLength = byteLengthOf(object)
    if (bytes + byteLength > batchBytes || descriptorBytes + more > batchBytes) continue
    bytes += byteLength
    descriptorBytes += more
    objects.push(object)
  }
  return objects
}
