import type { Clock } from '#libs/lifecycle'

import { createOut, type Effect } from './core/effect.js'
import type { Event } from './core/event.js'
import { nextDeadlineMs, reconcile } from './core/reconcile.js'
import type { State } from './core/state.js'

type Untimed<E> = E extends unknown ? Omit<E, 'atMs'> : never
/** An event as the rim knows it; the loop adds when it happened. */
export type UntimedEvent = Untimed<Event>

/** Does what the core decided. */
export type Perform = (effects: readonly Effect[]) => void

/** The one owner of the provisioner's state: the only place where state, time and I/O meet. */
export interface Loop {
  /** For reading between two events, never for changing. */
  readonly state: State
  post(event: UntimedEvent): void
  stop(): void
}

export interface LoopPorts {
  readonly state: State
  readonly clock: Clock
  readonly perform: Perform
  /** A bug: the process must end; the next start hears the demand again. */
  readonly onFatal: (error: unknown) => void
}

/** The longest delay that a timer can have; a longer one would fire at once. */
const longestTimerMs = 2 ** 31 - 1

/** Starts the loop. There is no journal: nothing that the provisioner knows outlives it. */
export function startLoop({ state, clock, perform, onFatal }: LoopPorts): Loop {
  let inbox: Event[] = []
  let draining = false
  let timer: NodeJS.Timeout | undefined

  const post = (event: UntimedEvent): void => {
    inbox.push({ ...event, atMs: clock.nowMs() })
    if (draining) return
    draining = true
    setImmediate(() => {
      draining = false
      try {
        drain()
      } catch (error) {
        onFatal(error)
      }
    })
  }

  const drain = (): void => {
    const out = createOut()
    const events = inbox
    inbox = []
    for (const event of events) reconcile(state, event, out)
    perform(out.effects)
    clearTimeout(timer)
    const deadlineMs = nextDeadlineMs(state)
    if (deadlineMs === undefined) return
    const delayMs = Math.min(longestTimerMs, Math.max(0, deadlineMs - clock.nowMs()))
    timer = setTimeout(() => post({ kind: 'timePassed' }), delayMs)
  }

  return { state, post, stop: () => clearTimeout(timer) }
}
