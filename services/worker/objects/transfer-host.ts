import { Status } from 'nice-grpc-common'

import type { ObjectId } from '#libs/domain'
import { DigestAlgorithm, type ObjectDescriptor } from '#libs/proto'
import { createMemorySink, nameOf, sourceOfSegments, TransferError, type TransferHost } from '#libs/transfer'
import { inspectValue } from '#libs/value'

import { describe, type ObjectStore } from './object-store.js'

/** Says that objects were scattered here; resolves when the scheduler knows of them. */
export type AnnounceStored = (report: {
  readonly requestId: string
  readonly sessionId: string
  readonly objects: ObjectDescriptor[]
}) => Promise<void>

/** What the worker offers on its bulk streams: its objects to get, its memory to put into. */
export function createTransferHost(
  store: ObjectStore,
  announce: AnnounceStored,
  memoryLimitBytes: number,
): TransferHost {
  return {
    openSource: async (open) => {
      const object = open.target?.$case === 'objectId' ? store.get(open.target.value as ObjectId) : undefined
      if (object === undefined) {
        throw new TransferError(Status.NOT_FOUND, 'OBJECT_NOT_FOUND', `${nameOf(open)} is not held by this worker`)
      }
      const { structure, bytes } = object
      const header = { structure, byteLength: bytes.byteLength, digestAlgorithm: DigestAlgorithm.XXH64 }
      return sourceOfSegments(header, [bytes])
    },
    openSink: async (open, header) => {
      const { target, requestId, sessionId } = open
      if (target?.$case !== 'objectId' || !/^o-[0-9a-f-]{36}$/.test(target.value)) {
        const message = `${nameOf(open)}: only a new object, o- and a UUID, can be put to a worker`
        throw new TransferError(Status.INVALID_ARGUMENT, 'BAD_TARGET', message)
      }
      if (memoryLimitBytes > 0 && store.byteLength + Number(header.byteLength) > memoryLimitBytes) {
        const message = `${nameOf(open)} has ${header.byteLength} bytes; the worker's limit of ${memoryLimitBytes} leaves no room for it: release objects, or scatter to more workers`
        throw new TransferError(Status.RESOURCE_EXHAUSTED, 'NO_MEMORY', message)
      }
      checkStructure(nameOf(open), header)
      const objectId = target.value as ObjectId
      return createMemorySink(header, async ({ structure, bytes }, digest) => {
        const stored = store.keep({ objectId, structure, bytes, xxh64: digest.readBigUInt64BE() })
        await announce({ requestId, sessionId, objects: [describe(stored)] })
      })
    },
  }
}

function checkStructure(
  name: string,
  header: { structure?: unknown; byteLength: bigint; digestAlgorithm: DigestAlgorithm },
): void {
  try {
    if (header.digestAlgorithm !== DigestAlgorithm.XXH64) throw new Error('objects are digested with xxh64')
    inspectValue(header.structure as never, Number(header.byteLength), () => {
      throw new Error('a scattered value refers to another object')
    })
  } catch (error) {
    throw new TransferError(Status.INVALID_ARGUMENT, 'BAD_STRUCTURE', `${name}: ${(error as Error).message}`)
  }
}
