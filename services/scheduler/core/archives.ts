import type { SessionId } from '#libs/domain'

import type { Out } from './effect.js'
import type { State } from './state.js'

/** A session that was cut off hears again which of its scattered buffers are in the checkpoint-store. */
export function tellArchives(state: State, sessionId: SessionId, out: Out): void {
  const to = new Set([sessionId])
  for (const { sessionId: owner, objectId, archive: blobDigest } of state.objects.values()) {
    if (owner === sessionId && blobDigest !== undefined)
      out.effects.push({ kind: 'notifyArchived', objectId, blobDigest, to })
  }
}
