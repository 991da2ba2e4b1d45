import { setTimeout as sleep } from 'node:timers/promises'

import type { SchedulerServiceDefinition } from '#libs/proto'
import type { RpcClient } from '#libs/rpc'

const firstPauseMs = 50
const longestPauseMs = 1_000
/** A large object takes a while from a worker to the checkpoint-store. */
const mostWaitMs = 120_000

/** Which objects the checkpoint-store has, as far as this program has heard. */
export class Archives {
  readonly #scheduler: Pick<RpcClient<typeof SchedulerServiceDefinition>, 'archiveObjects'>
  readonly #blobs = new Map<string, string>()
  /** Who waits for what the checkpoint-store does not have yet. */
  readonly #wanted = new Map<string, { count: number; readonly over: AbortController }>()

  constructor(scheduler: Pick<RpcClient<typeof SchedulerServiceDefinition>, 'archiveObjects'>) {
    this.#scheduler = scheduler
  }

  /** The object's blob. */
  get(objectId: string): string | undefined {
    return this.#blobs.get(objectId)
  }

  note(objectId: string, blobDigest: string): void {
    this.#blobs.set(objectId, blobDigest)
  }

  /** Nobody wants it any more, or nobody has it. */
  forget(objectId: string): void {
    this.#blobs.delete(objectId)
    this.#wanted.get(objectId)?.over.abort()
  }

  /**
   * Has the object brought into the checkpoint-store by a worker that holds it. Resolves with its blob, or with nothing when it is
   * lost or given up, or when nobody brings it in time.
   */
  async bring(objectId: string): Promise<string | undefined> {
    const wanted = this.#wanted.get(objectId) ?? { count: 0, over: new AbortController() }
    this.#wanted.set(objectId, wanted)
    wanted.count++
    try {
      return await this.#ask(objectId, AbortSignal.any([wanted.over.signal, AbortSignal.timeout(mostWaitMs)]))
    } finally {
      if (--wanted.count === 0) this.#wanted.delete(objectId)
    }
  }

  async #ask(objectId: string, signal: AbortSignal): Promise<string | undefined> {
    for (let pauseMs = firstPauseMs; !signal.aborted; pauseMs = Math.min(longestPauseMs, 2 * pauseMs)) {
      const { objects, awaitedObjectIds } = await this.#scheduler.archiveObjects({ objectIds: [objectId] })
      // It may have been told while this was asked.
      const blobDigest = this.#blobs.get(objectId) ?? objects[0]?.blobDigest
      if (blobDigest !== undefined) {
        this.#blobs.set(objectId, blobDigest)
        return blobDigest
      }
      if (!awaitedObjectIds.includes(objectId)) return undefined
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined)
    }
    return undefined
  }
}
