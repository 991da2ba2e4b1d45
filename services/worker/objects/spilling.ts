import { segmentsOf } from '#libs/memory'

import type { HeldObject, ObjectStore } from './object-store.js'
import { SpillError, type SpillFolder } from './spill-folder.js'

/** How long after a failure the disk is tried again. */
const retryMs = 5_000
/** How much is written at once: the system takes less than 2 GiB. */
const writtenBytes = 2 ** 26

/** Moves objects from memory to disk, those first that were used longest ago. */
export interface Spilling {
  /** There is more in memory: spills until that is no more than the target. */
  press(): void
  /** While memory is nearly full nothing of it is for objects. */
  relieve(isNearlyFull: boolean): void
  /** Why nothing can be spilled now. */
  readonly trouble: string | undefined
  /** Whether something in memory could be spilled. */
  readonly canRelieve: boolean
  /** Resolves when nothing is being spilled. */
  rest(): Promise<void>
}

export function createSpilling(
  store: ObjectStore,
  folder: Pick<SpillFolder, 'create'>,
  targetBytes: number,
  warn: (message: string) => void,
): Spilling {
  let mostBytes = targetBytes
  let running: Promise<void> | undefined
  let trouble: string | undefined

  async function spillOldest(): Promise<void> {
    for (;;) {
      const oldest = store.heldBytes > mostBytes ? store.oldest() : undefined
      if (oldest === undefined) return
      await spill(oldest)
    }
  }

  async function spill(object: HeldObject): Promise<void> {
    const { objectId, bytes, descriptor } = object
    const file = await folder.create(objectId, bytes.byteLength)
    try {
      for (const piece of segmentsOf(bytes, writtenBytes)) await file.write(piece)
      const body = await file.finish(descriptor.xxh64)
      if (!store.moveToDisk(object, body)) body.remove()
    } catch (error) {
      file.abandon()
      throw error
    }
  }

  /** Nothing is lost: what cannot be spilled stays in memory. */
  function note(error: unknown): void {
    const message =
      error instanceof SpillError ? error.message : `objects cannot be spilled: ${(error as Error).message}`
    trouble = message
    warn(message)
    setTimeout(() => {
      trouble = undefined
      press()
    }, retryMs).unref()
  }

  function press(): void {
    if (running || trouble !== undefined || store.heldBytes <= mostBytes) return
    running = spillOldest()
      .catch(note)
      .finally(() => {
        running = undefined
        // More may have come meanwhile.
        press()
      })
  }

  return {
    press,
    relieve: (isNearlyFull) => {
      mostBytes = isNearlyFull ? 0 : targetBytes
      press()
    },
    get trouble() {
      return trouble
    },
    get canRelieve() {
      return trouble === undefined && store.oldest() !== undefined
    },
    rest: async () => {
      while (running) await running
    },
  }
}
