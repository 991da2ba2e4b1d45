import { Status } from 'nice-grpc-common'

import type { ObjectId } from '#libs/domain'
import { DigestAlgorithm, Durability } from '#libs/proto'
import {
  createMemorySink,
  CutPuts,
  nameOf,
  sourceOfSegments,
  TransferError,
  type TransferHost,
  xxh64Bytes,
} from '#libs/transfer'

import type { AnnounceStored } from './announcements.js'
import { createObjectBatches } from './object-batches.js'
import type { ObjectStore, StoredObject } from './object-store.js'
import {
  checkDigestAlgorithm,
  checkRoom,
  checkStructure,
  type IncomingPut,
  keepOnce,
  otherBytes,
  putToDomain,
} from './put-checks.js'

/** How much of puts that lost their connection is kept, and for how long: several times what it takes to dial again. */
const mostCutBytes = 2 ** 30
const keepCutMs = 10_000
/** The most request ids that are remembered; then the oldest is forgotten. */
const maxRequests = 10_000

/** What the worker offers on its bulk streams: its objects to get, its memory to put into. */
export function createTransferHost(
  store: ObjectStore,
  announce: AnnounceStored,
  memoryLimitBytes: number,
): TransferHost {
  /** Which object was put under a request id. */
  const requests = new Map<string, ObjectId>()

  function remember({ requestId, objectId, name }: IncomingPut): void {
    if (requestId === '') return
    const first = requests.get(requestId)
    if (first !== undefined && first !== objectId) {
      const message = `${name}: request id ${requestId} was used before, for object ${first}: use a new one per put`
      throw new TransferError(Status.INVALID_ARGUMENT, 'REQUEST_ID_REUSED', message)
    }
    requests.set(requestId, objectId)
    for (const oldest of requests.keys()) {
      if (requests.size <= maxRequests) return
      requests.delete(oldest)
    }
  }

  async function announceStored({ requestId, sessionId }: IncomingPut, { descriptor }: StoredObject): Promise<void> {
    await announce({ requestId, sessionId, objects: [descriptor] })
  }

  const batches = createObjectBatches(store, announce, memoryLimitBytes)
  return {
    cutPuts: new CutPuts({ mostBytes: mostCutBytes, keepMs: keepCutMs }),
    openSource: async (open) => {
      if (open.target?.$case === 'objects') return batches.openSource(open.target.value.objectIds)
      const object = open.target?.$case === 'objectId' ? store.get(open.target.value as ObjectId) : undefined
      if (object === undefined) {
        throw new TransferError(Status.NOT_FOUND, 'OBJECT_NOT_FOUND', `${nameOf(open)} is not held by this worker`)
      }
      const { descriptor, bytes } = object
      const header = {
        structure: descriptor.structure,
        byteLength: bytes.byteLength,
        digestAlgorithm: DigestAlgorithm.XXH64,
      }
      store.warm?.hold(bytes)
      const source = sourceOfSegments(header, [bytes], xxh64Bytes(descriptor.xxh64))
      return { ...source, close: () => store.warm?.leave(bytes) }
    },
    openSink: async (open, header) => {
      if (open.target?.$case === 'objects') return batches.openSink(open, header)
      const put = putToDomain(open)
      const { objectId, requestId, name } = put
      checkDigestAlgorithm(name, header)
      checkStructure(name, header.structure, header.byteLength)
      const isRepeated = requestId !== '' && requests.has(requestId)
      remember(put)
      const known = store.get(objectId)
      if (known && known.descriptor.byteLength !== header.byteLength) throw otherBytes(name)
      if (known && isRepeated) {
        await announceStored(put, known)
        return { durability: Durability.MEMORY, version: 0n }
      }
      if (!known) checkRoom(name, header.byteLength, store.byteLength, memoryLimitBytes)
      return createMemorySink(
        header,
        async ({ structure, bytes }, digest) => {
          // Another put of the same object may have come first.
          const stored = keepOnce(store, name, { objectId, structure, bytes, xxh64: digest.readBigUInt64BE() })
          await announceStored(put, stored)
        },
        store.warm,
      )
    },
  }
}
