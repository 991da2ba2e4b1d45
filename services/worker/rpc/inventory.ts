import { isParked, type State } from '../core/state.js'
import type { StoredObject } from '../objects/object-store.js'
import type { Announcements } from '../objects/announcements.js'
import type { Inventory } from './greeting.js'
import { listedToWire } from './to-wire.js'

/** What the worker has now: attempts that count, objects, and reports of scattered objects that are to be repeated. */
export function takeInventory(
  { attempts, unacknowledged }: State,
  held: Iterable<StoredObject>,
  announcements: Announcements,
): Inventory {
  const stored = announcements.repeat()
  const announced = new Set(stored.flatMap(({ report }) => report.objects.map(({ objectId }) => objectId)))
  const live = [...attempts.values()].filter(({ cancelled }) => !cancelled)
  return {
    attempts: [
      // What has ended may be an input of what waits, never the other way round.
      ...[...unacknowledged.values()].map(({ ref, behind }) => listedToWire(ref, true, behind)),
      ...live.map(({ order, status }) =>
        listedToWire(order, status.kind === 'running', order.behind, isParked(status) ? status : undefined),
      ),
    ],
    objects: [...held].filter(({ objectId }) => !announced.has(objectId)),
    stored,
  }
}
