import type { Clock } from '#libs/lifecycle'
import type { Journal } from '#libs/journal'

import { decide, placeQueued } from './core/decide.js'
import { createOut, type Effect, type Refusal } from './core/effect.js'
import type { Event } from './core/event.js'
import type { Fact } from './core/fact.js'
import { apply } from './core/apply.js'
import type { State } from './core/state.js'
import type { JobId } from '#libs/domain'

type Untimed<E> = E extends unknown ? Omit<E, 'atMs' | 'callId'> : never
/** An event as the rim knows it; the loop adds when it happened. */
export type UntimedEvent = Untimed<Event>

/** What a question was answered with. */
export interface Answer {
  readonly refusal?: Refusal
  readonly jobId?: JobId
}

/** Does what the core decided. Gets everything that follows from one batch of events at once, so that it can be batched. */
export type Perform = (effects: readonly Effect[]) => void

/** The one owner of the scheduler's state: the only place where state, time and I/O meet. */
export interface Loop {
  /** For reading between two events, never for changing. */
  readonly state: State
  post(event: UntimedEvent): void
  /** Posts an event and resolves with its answer once what it changed is remembered. */
  ask(event: UntimedEvent): Promise<Answer>
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

/** How often time passes for the core: graces end at most this late. */
const tickMs = 250

/** Replays the journal, raises the epoch, and starts the loop. */
export async function startLoop({ state, journal, clock, perform, onFatal }: LoopPorts): Promise<Loop> {
  for await (const fact of journal.replay()) apply(state, fact)
  const epochRaised: Fact = { kind: 'epochRaised', epoch: state.epoch + 1 }
  apply(state, epochRaised)
  await journal.append([epochRaised])

  let inbox: Event[] = []
  let draining: Promise<void> | undefined
  let nextCallId = 1
  const calls = new Map<number, (answer: Answer) => void>()

  const post = (event: UntimedEvent, callId?: number): void => {
    inbox.push({ ...event, atMs: clock.nowMs(), ...(callId === undefined ? {} : { callId }) } as Event)
    draining ??= new Promise((resolve) => setImmediate(() => void drain().catch(onFatal).then(resolve)))
  }

  const drain = async (): Promise<void> => {
    while (inbox.length > 0) {
      const events = inbox
      inbox = []
      const out = createOut()
      for (const event of events) decide(state, event, out)
      placeQueued(state, clock.nowMs(), out)
      // Durable before visible: a replayed journal must explain everything that was ever said.
      if (out.facts.length > 0) await journal.append(out.facts)
      for (const effect of out.effects) {
        if (effect.kind !== 'answer') continue
        calls.get(effect.callId)?.(effect)
        calls.delete(effect.callId)
      }
      perform(out.effects)
    }
    draining = undefined
  }

  const timer = setInterval(() => post({ kind: 'timePassed' }), tickMs)
  return {
    state,
    post,
    ask: (event) =>
      new Promise((resolve) => {
        const callId = nextCallId++
        calls.set(callId, resolve)
        post(event, callId)
      }),
    stop: async () => {
      clearInterval(timer)
      await draining
      await journal.close()
    },
  }
}
