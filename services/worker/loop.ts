import type { Clock } from '#libs/lifecycle'

import { decide } from './core/decide.js'
import type { Effect } from './core/effect.js'
import type { Event } from './core/event.js'
import { holdReports } from './core/holding.js'
import type { State } from './core/state.js'

const noEffects: readonly Effect[] = []

type Untimed<E> = E extends unknown ? Omit<E, 'atMs'> : never
/** An event as the rim knows it; the loop adds when it happened. */
export type UntimedEvent = Untimed<Event>

/** The one owner of the worker's state. */
export interface Loop {
  /** For reading between two events, never for changing. */
  readonly state: State
  post(event: UntimedEvent): void
}

export interface LoopPorts {
  readonly state: State
  readonly clock: Clock
  /** Gets everything that follows from one batch of events at once, so that reports can be batched. */
  readonly perform: (effects: readonly Effect[]) => void
}

/** Starts the loop. A worker remembers nothing beyond its process: the scheduler knows what it was told to run. */
export function startLoop({ state, clock, perform }: LoopPorts): Loop {
  let inbox: Event[] = []
  let scheduled = false
  let holding: NodeJS.Timeout | undefined

  const drain = (): void => {
    scheduled = false
    const events = inbox
    inbox = []
    const effects: Effect[] = []
    for (const event of events) decide(state, event, effects)
    release(effects)
  }

  const release = (effects: readonly Effect[]): void => {
    const now = holdReports(state, effects, clock.nowMs())
    if (now.length > 0) perform(now)
    clearTimeout(holding)
    if (state.held.length > 0) holding = setTimeout(release, state.heldUntilMs - clock.nowMs(), noEffects)
  }

  return {
    state,
    post: (event) => {
      // The spread comes last: a property that is added after one costs a microsecond.
      inbox.push({ atMs: clock.nowMs(), ...event })
      if (scheduled) return
      scheduled = true
      setImmediate(drain)
    },
  }
}
