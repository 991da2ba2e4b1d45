import type { CheckpointServiceImplementation } from '#libs/proto'

import type { Loop } from '../loop.js'
import { accept } from './refusal.js'
import { nameToDomain, versionToDomain } from './to-domain.js'
import { checkpointToWire } from './to-wire.js'

export function createGetCheckpoint(loop: Loop): CheckpointServiceImplementation['getCheckpoint'] {
  return async ({ name, version }) => {
    const sought = { name: nameToDomain(name), version: versionToDomain(version) }
    return { checkpoint: checkpointToWire(accept(await loop.ask({ kind: 'checkpointSought', ...sought }))) }
  }
}
