import type { CheckpointServiceImplementation } from '#libs/proto'
import { readRequestId } from '#libs/rpc'

import type { Loop } from '../loop.js'
import { accept } from './refusal.js'
import { etagToDomain, nameToDomain, versionToDomain } from './to-domain.js'

export function createDeleteCheckpoint(loop: Loop): CheckpointServiceImplementation['deleteCheckpoint'] {
  return async ({ name, requestId, version, etag }) => {
    const wanted = {
      name: nameToDomain(name),
      requestId: readRequestId(requestId),
      version: versionToDomain(version),
      etag: etagToDomain(etag),
    }
    return { versions: accept(await loop.ask({ kind: 'deleteRequested', ...wanted })).versions }
  }
}
