import type { State } from './state.js'

/** How many slots the scheduler wants now, and how many there are: a level, never a command. */
export interface Demand {
  readonly wantedSlots: number
  readonly presentSlots: number
  readonly presentWorkers: number
}

/** Every task that is ready or runs would use a slot. */
export function demandOf(state: State): Demand {
  let wantedSlots = 0
  for (const { counts } of state.jobs.values()) wantedSlots += counts.queued + counts.running
  let presentSlots = 0
  for (const { profile, draining } of state.workers.values()) if (!draining) presentSlots += profile.slots
  return { wantedSlots, presentSlots, presentWorkers: state.workers.size }
}
