import { collectGarbage } from './collection.js'
import type { Out } from './effect.js'
import type { EventOf } from './event.js'
import { sweep } from './retention.js'
import type { State } from './state.js'

/**
 * Compares the catalogue with the disk at the start: marks what is not there as it should be, collects what nobody needs, and
 * drops versions that are not kept since the settings were changed.
 */
export function takeInventory(state: State, { chunks: found, atMs }: EventOf<'storageScanned'>, out: Out): void {
  sweep(state, { kind: 'sweepDue', atMs }, out)
  for (const chunk of state.chunks.values()) {
    const byteLength = found.get(chunk.digest)
    if (chunk.references + chunk.pins === 0) state.chunks.delete(chunk.digest)
    else if (byteLength === undefined) chunk.health = 'missing'
    else if (byteLength !== chunk.byteLength) chunk.health = 'damaged'
  }
  collectGarbage(
    state,
    out,
    [...found.keys()].map((digest) => ({ digest })),
  )
}
