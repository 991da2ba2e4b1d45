import { type Demand, demandOf } from '../core/demand.js'
import type { State } from '../core/state.js'
import type { Level } from './level.js'

/** Tells those who watch it what the mesh demands; costs nothing while nobody does. */
export function tellDemand(state: State, watchers: ReadonlySet<Level<Demand>>): void {
  if (watchers.size === 0) return
  const demand = demandOf(state)
  for (const watcher of watchers) watcher.set(demand)
}
