import { Status } from 'nice-grpc-common'

import type { ObjectId } from '#libs/domain'
import { DigestAlgorithm, Durability, ObjectDescriptor, type TransferHeader, type TransferOpen } from '#libs/proto'
import { createMemorySink, nameOf, sourceOfSegments, TransferError, type TransferHost } from '#libs/transfer'
import { inspectValue } from '#libs/value'

import type { AnnounceStored } from './announcements.js'
import { describe, type ObjectStore, type StoredObject } from './object-store.js'

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
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

  return {
    openSource: async (open) => {
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
      return sourceOfSegments(header, [bytes])
    },
    openSink: async (open, header) => {
      const put = putToDomain(open)
      const { objectId, requestId, name } = put
      checkStructure(name, header)
      const isRepeated = requestId !== '' && requests.has(requestId)
      remember(put)
      const known = store.get(objectId)
      if (known && known.descriptor.byteLength !== header.byteLength) throw otherBytes(put)
      if (known && isRepeated) {
        await announceStored(put, known)
        return { durability: Durability.MEMORY, version: 0n }
      }
      if (!known && memoryLimitBytes > 0 && store.byteLength + Number(header.byteLength) > memoryLimitBytes) {
        const message = `${name} has ${header.byteLength} bytes; the worker's limit of ${memoryLimitBytes} leaves no room for it: release objects, or scatter to more workers`
        throw new TransferError(Status.RESOURCE_EXHAUSTED, 'NO_MEMORY', message)
      }
      return createMemorySink(header, async ({ structure, bytes }, digest) => {
        const object = { objectId, structure, bytes, xxh64: digest.readBigUInt64BE() }
        // Another put of the same object may have come first.
        const stored = store.keep(object)
        if (stored.bytes !== bytes && !isSame(stored, describe(object))) throw otherBytes(put)
        await announceStored(put, stored)
      })
    },
  }
}

interface IncomingPut {
  readonly objectId: ObjectId
  readonly requestId: string
  readonly sessionId: string
  /** For messages. */
  readonly name: string
}

function putToDomain(open: TransferOpen): IncomingPut {
  const { target } = open
  const name = nameOf(open)
  if (target?.$case !== 'objectId' || !/^o-[0-9a-f-]{36}$/.test(target.value)) {
    const message = `${name}: only a new object, o- and a UUID, can be put to a worker`
    throw new TransferError(Status.INVALID_ARGUMENT, 'BAD_TARGET', message)
  }
  return {
    objectId: target.value as ObjectId,
    requestId: uuidToDomain('request_id', 'BAD_REQUEST_ID', open.requestId, name),
    sessionId: uuidToDomain('session_id', 'BAD_SESSION_ID', open.sessionId, name),
    name,
  }
}

/** Both ids may be left out. */
function uuidToDomain(field: string, reason: string, id: string, name: string): string {
  if (id === '' || uuidPattern.test(id)) return id.toLowerCase()
  throw new TransferError(Status.INVALID_ARGUMENT, reason, `${name}: ${field} '${id.slice(0, 64)}' is no UUID`)
}

function otherBytes({ name }: IncomingPut): TransferError {
  const message = `${name} is here already, with another value: objects never change; give the new one an id of its own`
  return new TransferError(Status.ALREADY_EXISTS, 'OBJECT_EXISTS', message)
}

function isSame(a: StoredObject, b: StoredObject): boolean {
  const [one, other] = [a, b].map(({ descriptor }) => Buffer.from(ObjectDescriptor.encode(descriptor).finish()))
  return one!.equals(other!)
}

function checkStructure(name: string, header: TransferHeader): void {
  try {
    if (header.digestAlgorithm !== DigestAlgorithm.XXH64) throw new Error('objects are digested with xxh64')
    inspectValue(header.structure, Number(header.byteLength), () => {
      throw new Error('a scattered value refers to another object')
    })
  } catch (error) {
    throw new TransferError(Status.INVALID_ARGUMENT, 'BAD_STRUCTURE', `${name}: ${(error as Error).message}`)
  }
}
