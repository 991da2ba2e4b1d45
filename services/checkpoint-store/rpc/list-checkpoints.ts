import type { CheckpointServiceImplementation } from '#libs/proto'
import { tokenOf } from '#libs/rpc'

import type { Loop } from '../loop.js'
import { accept } from './refusal.js'
import { pageToDomain } from './to-domain.js'
import { checkpointToWire } from './to-wire.js'

export function createListCheckpoints(loop: Loop): CheckpointServiceImplementation['listCheckpoints'] {
  return async (request) => {
    const { checkpoints, more } = accept(await loop.ask({ kind: 'checkpointsListed', ...pageToDomain(request) }))
    const last = checkpoints.at(-1)
    return {
      checkpoints: checkpoints.map(checkpointToWire),
      nextPageToken: more && last ? tokenOf(last.name) : '',
    }
  }
}
