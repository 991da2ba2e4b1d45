import { type ObjectId, parseTaskId, type SessionId } from '#libs/domain'
import type { ScatteredBlob, SchedulerServiceImplementation } from '#libs/proto'
import { readRequestId } from '#libs/rpc'

import { findObject, isWanted } from '../core/lookup.js'
import type { ArchivedObject } from '../core/event.js'
import type { Loop } from '../loop.js'
import { invalid } from './invalid.js'
import { accept } from './refusal.js'
import { heldToDomain } from './to-domain.js'

type ObjectMethods = Pick<SchedulerServiceImplementation, 'scatterBlobs' | 'archiveObjects'>

const mostObjects = 1_000
const longestId = 256

/** The unary calls about objects that are in the checkpoint-store, or should be. */
export function createObjectMethods(loop: Loop): ObjectMethods {
  return {
    scatterBlobs: async ({ sessionId: given, objects: wire }) => {
      const sessionId = readRequestId(given, 'session_id') as SessionId
      checkCount(wire.length)
      accept(await loop.ask({ kind: 'blobsScattered', sessionId, objects: wire.map(scatteredToDomain) }))
      return {}
    },
    archiveObjects: async ({ objectIds: given }) => {
      checkCount(given.length)
      const objectIds = given as ObjectId[]
      accept(await loop.ask({ kind: 'archivesRequested', objectIds }))
      return loop.read((state) => {
        const objects: ArchivedObject[] = []
        const awaitedObjectIds: ObjectId[] = []
        for (const objectId of objectIds) {
          const entity = findObject(state, objectId)
          if (entity === undefined) continue
          if (entity.archive !== undefined) objects.push({ objectId, blobDigest: entity.archive })
          else if (entity.holders?.size && isWanted(entity)) awaitedObjectIds.push(objectId)
        }
        return { objects, awaitedObjectIds }
      })
    },
  }
}

function scatteredToDomain({ descriptor, blobDigest }: ScatteredBlob, index: number) {
  const id = descriptor?.objectId ?? ''
  if (descriptor === undefined || id === '' || id.length > longestId || parseTaskId(id)) {
    const message = `a scattered object has an id of its own, of 1 to ${longestId} characters, that names no task`
    throw invalid('BAD_OBJECT_ID', message, `objects[${index}].descriptor.object_id`)
  }
  if (!/^[0-9a-f]{64}$/.test(blobDigest)) {
    const message = `the blob of ${id} is named by the SHA-256 of its bytes, 64 lower-case hexadecimal digits`
    throw invalid('BAD_DIGEST', message, `objects[${index}].blob_digest`)
  }
  return { ...heldToDomain(descriptor), blobDigest } satisfies ArchivedObject
}

function checkCount(count: number): void {
  if (count <= mostObjects) return
  const message = `${count} objects in one call; at most ${mostObjects}: call again for the rest`
  throw invalid('TOO_MANY_OBJECTS', message, 'objects')
}
