import type { CheckpointServiceImplementation } from '#libs/proto'
import { readRequestId } from '#libs/rpc'

import type { Loop } from '../loop.js'
import { accept } from './refusal.js'
import { pruneRuleToDomain } from './to-domain.js'
import { checkpointToWire } from './to-wire.js'

export function createPruneCheckpoints(loop: Loop): CheckpointServiceImplementation['pruneCheckpoints'] {
  return async (request) => {
    if (!request.dryRun) readRequestId(request.requestId)
    const rule = pruneRuleToDomain(request)
    const pruned = accept(await loop.ask({ kind: 'pruneRequested', rule, isRehearsal: request.dryRun }))
    return { checkpoints: pruned.versions.map(checkpointToWire), freedBytes: BigInt(pruned.freedBytes) }
  }
}
