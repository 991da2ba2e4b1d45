import { collectGarbage } from './collection.js'
import type { Out } from './effect.js'
import type { EventOf } from './event.js'
import { dropOldVersions } from './retention.js'
import { isLive, type State } from './state.js'

/**
 * Compares the catalogue with the disk at the start: marks what is not there as it should be, collects what nobody needs, and
 * drops versions that are too many since fewer are kept than before.
 */
export function takeInventory(state: State, { blobs: found }: EventOf<'storageScanned'>, out: Out): void {
  for (const checkpoint of state.checkpoints.values()) dropOldVersions(state, checkpoint, out)
  for (const blob of state.blobs.values()) {
    const byteLength = found.get(blob.digest)
    if (!isLive(blob)) state.blobs.delete(blob.digest)
    else if (byteLength === undefined) blob.health = 'missing'
    else if (byteLength !== blob.byteLength) blob.health = 'damaged'
  }
  for (const digest of found.keys()) collectGarbage(state, out, digest)
}
