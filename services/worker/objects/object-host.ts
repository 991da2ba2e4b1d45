import type { ObjectId } from '#libs/domain'
import type { TransferHost, TransferPool } from '#libs/transfer'

import type { AnnounceStored } from './announcements.js'
import { createArrivals } from './arrivals.js'
import { createObjectFetches, type ObjectFetches } from './object-fetches.js'
import { createPutSinks } from './put-sinks.js'
import { createTransferHost } from './transfer-host.js'
import type { WorkerMemory } from './worker-memory.js'

/** What others get from this worker and put into it, and what it gets for them. */
export interface ObjectHost {
  readonly host: TransferHost
  readonly fetches: ObjectFetches
}

/** Puts it together. `isOrdered` says whether the object is the result of a task that this worker was sent. */
export function createObjectHost(
  { store, room, folder }: Pick<WorkerMemory, 'store' | 'room' | 'folder'>,
  pool: Pick<TransferPool, 'worker'>,
  announce: AnnounceStored,
  isOrdered: (objectId: ObjectId) => boolean,
): ObjectHost {
  const arrivals = createArrivals()
  const sinks = createPutSinks(store, arrivals, room, folder)
  const fetches = createObjectFetches({ store, arrivals, sinks, pool, announce, room, isOrdered })
  return { fetches, host: createTransferHost(store, arrivals, sinks, fetches, announce, room) }
}
