import type { CheckpointServiceImplementation } from '#libs/proto'

import type { Loop } from '../loop.js'
import { accept } from './refusal.js'
import { digestsToDomain } from './to-domain.js'

export function createFindBlobs(loop: Loop): CheckpointServiceImplementation['findBlobs'] {
  return async ({ digests }) => {
    const found = accept(await loop.ask({ kind: 'blobsSought', digests: digestsToDomain(digests) }))
    return { digests: [...found] }
  }
}
