import { collectGarbage } from './collection.js'
import type { Out } from './effect.js'
import { emit } from './emit.js'
import { type Checkpoint, partsOf, type State } from './state.js'

/** Drops the oldest versions of a checkpoint that are more than are kept. */
export function dropOldVersions(state: State, { name, versions }: Checkpoint, out: Out): void {
  for (const old of versions.slice(0, Math.max(0, versions.length - state.policy.keepVersions))) {
    emit(state, out, { kind: 'versionDropped', name, version: old.version })
    for (const part of partsOf(old)) collectGarbage(state, out, part.digest)
  }
}
