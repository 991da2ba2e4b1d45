import type { Journal } from '#libs/journal'
import type { Clock } from '#libs/lifecycle'

import { apply } from './core/apply.js'
import { createOut, type Effect } from './core/effect.js'
import type { Event } from './core/event.js'
import type { Fact } from './core/fact.js'
import { nextDeadlineMs, reconcile } from './core/reconcile.js'
import type { State } from './core/state.js'

type Untimed<E> = E extends unknown ? Omit<E, 'atMs'> : never
/** An event as the rim knows it; the loop adds when it happened. */
export type UntimedEvent = Untimed<Event>

/** Does what the core decided. Gets everything that follows from one batch of events at once. */
export type Perform = (effects: readonly Effect[]) => void

/** The one owner of the provisioner's state: the only place where state, time and I/O meet. */
export interface Loop {
  /** For reading between two events, never for changing. It may be ahead of what is durable. */
  readonly state: State
  readonly post: (event: UntimedEvent) => void
  /** Posts an event and resolves once what it changed is remembered and begun. */
  readonly settle: (event: UntimedEvent) => Promise<void>
  /** Finishes what was posted and closes the journal. What is posted later is not heard. */
  stop(): Promise<void>
}

export interface LoopPorts {
  readonly state: State
  readonly journal: Journal<Fact>
  readonly clock: Clock
  readonly perform: Perform
  /** A failed flush or a bug: the process must end, the next start replays. */
  readonly onFatal: (error: unknown) => void
}

/** The longest delay that a timer can have; a longer one would fire at once. */
const longestTimerMs = 2 ** 31 - 1

/** Replays the journal and starts the loop. */
export async function startLoop({ state, journal, clock, perform, onFatal }: LoopPorts): Promise<Loop> {
  for await (const fact of journal.replay()) apply(state, fact)
  let inbox: Event[] = []
  let working: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined
  let stopped = false

  const post = (event: UntimedEvent): void => {
    if (stopped) return
    inbox.push({ ...event, atMs: clock.nowMs() })
    working ??= new Promise((resolve) => setImmediate(() => void work().catch(fail).then(resolve)))
  }

  const work = async (): Promise<void> => {
    while (inbox.length > 0) {
      const events = inbox
      inbox = []
      const out = createOut()
      for (const event of events) reconcile(state, event, out)
      // Durable before visible: the key of a submit is remembered before sbatch hears of it.
      if (out.facts.length > 0) await journal.append(out.facts)
      perform(out.effects)
    }
    working = undefined
    wakeLater()
  }

  const wakeLater = (): void => {
    clearTimeout(timer)
    const nowMs = clock.nowMs()
    const deadlineMs = stopped ? undefined : nextDeadlineMs(state, nowMs)
    if (deadlineMs === undefined) return
    timer = setTimeout(() => post({ kind: 'timePassed' }), Math.min(longestTimerMs, Math.max(0, deadlineMs - nowMs)))
  }

  const fail = (error: unknown): void => {
    stopped = true
    onFatal(error)
  }

  post({ kind: 'started' })
  await working
  return {
    state,
    post,
    settle: async (event) => {
      post(event)
      await working
    },
    stop: async () => {
      stopped = true
      clearTimeout(timer)
      await working
      await journal.close()
    },
  }
}
