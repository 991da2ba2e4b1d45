import type { CheckpointServiceImplementation } from '#libs/proto'

import type { Loop } from '../loop.js'
import { accept } from './refusal.js'
import { claimsToDomain } from './to-domain.js'

export function createReleaseBlobs(loop: Loop): CheckpointServiceImplementation['releaseBlobs'] {
  return async ({ claims }) => {
    accept(await loop.ask({ kind: 'blobsReleased', claims: claimsToDomain(claims) }))
    return {}
  }
}
