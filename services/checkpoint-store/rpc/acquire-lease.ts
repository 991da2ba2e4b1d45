import type { CheckpointServiceImplementation } from '#libs/proto'
import { readRequestId } from '#libs/rpc'

import type { Loop } from '../loop.js'
import { accept } from './refusal.js'
import { holderToDomain, nameToDomain } from './to-domain.js'

export function createAcquireLease(loop: Loop): CheckpointServiceImplementation['acquireLease'] {
  return async ({ name, holder, requestId }) => {
    const wanted = {
      name: nameToDomain(name),
      holder: holderToDomain(holder),
      requestId: readRequestId(requestId),
    }
    return { token: BigInt(accept(await loop.ask({ kind: 'leaseRequested', ...wanted })).token) }
  }
}
