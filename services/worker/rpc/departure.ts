import type { LinkRequest } from '#libs/proto'

type Report = NonNullable<LinkRequest['report']>

/** What a departure needs of the worker. */
export interface DepartureOptions {
  /** Whether it holds nothing that anybody could want. */
  readonly isEmpty: () => boolean
  /** Says it, or returns false while there is no link. */
  readonly report: (report: Report) => boolean
  /** Brings the object into the checkpoint-store; its blob's digest, or nothing when it is not held any more. */
  readonly archive: (objectId: string) => Promise<string | undefined>
  readonly leave: () => void
  /** Something could not be handed over: it is made again elsewhere, or lost. */
  readonly failed: (error: unknown) => void
}

/**
 * How a worker goes whose work is done: it asks what only it holds, hands that over, and leaves when there is nothing left. One
 * that stays hands over what others want and cannot fetch from it.
 */
export interface Departure {
  begin(): void
  /** The scheduler says what must be in the checkpoint-store. */
  handOver(objectIds: readonly string[]): Promise<void>
  /** What was asked on a link that was cut is asked again. */
  relinked(): void
}

export function createDeparture({ isEmpty, report, archive, leave, failed }: DepartureOptions): Departure {
  let state: 'staying' | 'asking' | 'handingOver' | 'gone' = 'staying'
  const underWay = new Set<string>()

  function ask(): void {
    if (isEmpty()) return go()
    state = 'asking'
    report({ $case: 'departing', value: {} })
  }

  function go(): void {
    state = 'gone'
    leave()
  }

  async function bring(objectIds: readonly string[]): Promise<void> {
    for (const objectId of objectIds) {
      const blobDigest = await archive(objectId)
      // One at a time: what is over there is known to be, however far the worker comes. What is not here is not asked for again.
      if (blobDigest === undefined) report({ $case: 'objectsDropped', value: { objectIds: [objectId] } })
      else report({ $case: 'objectsArchived', value: { objects: [{ objectId, blobDigest }] } })
    }
  }

  /** Somebody cannot reach this worker, and asks until it can have the objects elsewhere. */
  async function stayAndBring(objectIds: readonly string[]): Promise<void> {
    const wanted = objectIds.filter((objectId) => !underWay.has(objectId))
    for (const objectId of wanted) underWay.add(objectId)
    try {
      await bring(wanted)
    } catch (error) {
      failed(error)
    } finally {
      for (const objectId of wanted) underWay.delete(objectId)
    }
  }

  return {
    begin: () => {
      if (state === 'staying') ask()
    },
    handOver: async (objectIds) => {
      if (state === 'staying') return stayAndBring(objectIds)
      if (state !== 'asking') return
      if (objectIds.length === 0) {
        go()
        return
      }
      state = 'handingOver'
      try {
        await bring(objectIds)
        ask()
      } catch (error) {
        failed(error)
        go()
      }
    },
    relinked: () => {
      if (state === 'asking') ask()
    },
  }
}
