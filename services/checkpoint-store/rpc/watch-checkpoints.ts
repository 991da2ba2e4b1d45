import type { CheckpointServiceImplementation, DeepPartial, WatchCheckpointsResponse } from '#libs/proto'

import type { Fact } from '../core/fact.js'
import type { Loop } from '../loop.js'
import { accept } from './refusal.js'
import { checkpointToWire } from './to-wire.js'

type Change = DeepPartial<WatchCheckpointsResponse>

const pageNames = 1_000

/** Tells what there is under a prefix, and then what changes: the newest state of each name, however slowly it is read. */
export function createWatchCheckpoints(loop: Loop): CheckpointServiceImplementation['watchCheckpoints'] {
  return async function* ({ prefix }, { signal }) {
    const changes = new Map<string, Change>()
    let wake: (() => void) | undefined
    const stop = loop.watch((facts) => {
      for (const fact of facts) note(loop, fact, prefix, changes)
      if (changes.size > 0) wake?.()
    })
    signal.addEventListener('abort', () => wake?.())
    try {
      yield* present(loop, prefix)
      yield { change: { $case: 'caughtUp', value: true } }
      while (!signal.aborted) {
        for (const [name, change] of changes) {
          changes.delete(name)
          yield change
        }
        if (changes.size === 0) await new Promise<void>((resolve) => (wake = resolve))
      }
    } finally {
      stop()
    }
  }
}

/** Durable facts, and not the state, which may be ahead of them. */
function note(loop: Loop, fact: Fact, prefix: string, changes: Map<string, Change>): void {
  if (fact.kind !== 'versionSaved' && fact.kind !== 'versionDropped') return
  const { name } = fact
  if (!name.startsWith(prefix)) return
  if (fact.kind === 'versionSaved') {
    changes.set(name, { change: { $case: 'saved', value: checkpointToWire({ name, version: fact.version }) } })
  } else if (!loop.state.checkpoints.has(name)) {
    changes.set(name, { change: { $case: 'deleted', value: name } })
  }
}

async function* present(loop: Loop, prefix: string): AsyncGenerator<Change> {
  for (let after = '', isMore = true; isMore;) {
    const page = { prefix, after, limit: pageNames, labels: [], allVersions: false }
    const { checkpoints, more } = accept(await loop.ask({ kind: 'checkpointsListed', ...page }))
    for (const checkpoint of checkpoints) yield { change: { $case: 'saved', value: checkpointToWire(checkpoint) } }
    after = checkpoints.at(-1)?.name ?? ''
    isMore = more
  }
}
