import type { State } from './state.js'

/** How many slots the scheduler wants now, and how many there are: a level, never a command. */
export interface Demand {
  readonly wantedSlots: number
  readonly presentSlots: number
  readonly presentWorkers: number
}

/** Every task that is ready or runs would use a slot. */
export function demandOf({ counts, workers }: State): Demand {
  let presentSlots = 0
  for (const { profile, draining, quarantine } of workers.values()) {
    if (!draining && quarantine === undefined) presentSlots += profile.slots
  }
  return { wantedSlots: counts.queued + counts.running, presentSlots, presentWorkers: workers.size }
}
