import type { Effect } from '../core/effect.js'
import type { Digest } from '../core/state.js'
import type { ChunkStore } from './chunk-store.js'
import type { DigestLocks } from './digest-locks.js'

/** Deletes the files of garbage. */
export interface Collector {
  perform(effects: readonly Effect[]): void
  /** Resolves when nothing is being deleted. */
  idle(): Promise<void>
}

export interface CollectorPorts {
  readonly chunks: ChunkStore
  readonly locks: DigestLocks
  /** Asks the core whether the file may go now. */
  readonly mayCollect: (digest: Digest) => Promise<boolean>
  /** The file is still there; the next start tries again. */
  readonly onFailure: (digest: Digest, error: unknown) => void
}

export function createCollector({ chunks, locks, mayCollect, onFailure }: CollectorPorts): Collector {
  const underWay = new Set<Promise<void>>()

  const collect = (digest: Digest): Promise<void> =>
    locks.hold([digest], async () => {
      if (await mayCollect(digest)) await chunks.remove(digest)
    })

  return {
    perform: (effects) => {
      for (const effect of effects) {
        if (effect.kind !== 'collectChunk') continue
        const collecting = collect(effect.digest)
          .catch((error: unknown) => onFailure(effect.digest, error))
          .finally(() => underWay.delete(collecting))
        underWay.add(collecting)
      }
    },
    idle: async () => {
      while (underWay.size > 0) await Promise.all(underWay)
    },
  }
}
