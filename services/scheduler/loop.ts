import type { Journal } from '#libs/journal'
import type { Clock } from '#libs/lifecycle'

import { apply } from './core/apply.js'
import { decide, placeQueued } from './core/decide.js'
import { type AnswerContent, byFlush, createOut, type Effect, type Out } from './core/effect.js'
import type { Event } from './core/event.js'
import type { Fact } from './core/fact.js'
import { startResync } from './core/resync.js'
import type { State } from './core/state.js'
import { createStoryNotes, type StoryNotes } from './core/story-notes.js'

type Untimed<E> = E extends unknown ? Omit<E, 'atMs' | 'callId'> : never
type Asked<E> = E extends unknown ? ('callId' extends keyof E ? E : never) : never
/** An event as the rim knows it; the loop adds when it happened. */
export type UntimedEvent = Untimed<Event>
/** An event that is answered. */
export type UntimedQuestion = Untimed<Asked<Event>>

/** What a question was answered with. */
export type Answer = AnswerContent

/** Does what the core decided. Gets everything that follows from one batch of events at once, so that it can be batched. */
export type Perform = (effects: readonly Effect[]) => void

export interface AskOptions {
  /** Answer before the facts are remembered: who asks takes it that a crash may forget them. */
  readonly early?: boolean
}

/** The one owner of the scheduler's state: the only place where state, time and I/O meet. */
export interface Loop {
  /** For reading, never for changing. What it says may not be remembered yet: see `read`. */
  readonly state: State
  /** What happened lately to which task. */
  readonly notes: StoryNotes
  nowMs(): number
  /** Posts an event; after the stop it is ignored. */
  post(event: UntimedEvent): void
  /** Posts an event and resolves with its answer once what it changed is remembered. Rejects after the stop. */
  ask(event: UntimedQuestion, options?: AskOptions): Promise<Answer>
  /** Looks at the state when all that it says is remembered, so that a restart cannot belie what was seen. */
  read<T>(look: (state: State) => T): Promise<T>
  /** Handles what was posted before, then closes the journal. */
  stop(): Promise<void>
}

export interface LoopPorts {
  readonly state: State
  readonly journal: Journal<Fact>
  readonly clock: Clock
  readonly perform: Perform
  /** Hears that the state may have changed, also where nothing is to be done: a worker that joins an idle mesh. */
  readonly onChange?: () => void
  /** A failed flush or a bug: the process must end, the next start replays. */
  readonly onFatal: (error: unknown) => void
}

/** How often time passes for the core: graces end at most this late. */
const tickMs = 250

/** Replays the journal, raises the epoch, and starts the loop. */
export async function startLoop(ports: LoopPorts): Promise<Loop> {
  const { state, journal, clock } = ports
  for await (const fact of journal.replay()) apply(state, fact)
  const epochRaised: Fact = { kind: 'epochRaised', epoch: state.epoch + 1 }
  apply(state, epochRaised)
  const out = createOut()
  startResync(state, clock.nowMs(), out)
  // Nobody is linked yet who could hear of the effects.
  await journal.append([epochRaised, ...out.facts])
  return new EventLoop(ports)
}

interface Call extends AskOptions {
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: Error) => void
}

class EventLoop implements Loop {
  readonly state: State
  readonly notes = createStoryNotes()
  readonly #ports: LoopPorts
  readonly #calls = new Map<number, Call>()
  readonly #timer: NodeJS.Timeout
  #inbox: Event[] = []
  /** Facts that are not remembered yet. */
  #unwritten: Fact[] = []
  #readers: (() => void)[] = []
  #draining: Promise<void> | undefined
  #stopped = false
  #nextCallId = 1

  constructor(ports: LoopPorts) {
    this.state = ports.state
    this.#ports = ports
    this.#timer = setInterval(() => this.post({ kind: 'timePassed' }), tickMs)
  }

  nowMs(): number {
    return this.#ports.clock.nowMs()
  }

  post(event: UntimedEvent): void {
    if (!this.#stopped) this.#take({ ...event, atMs: this.#ports.clock.nowMs() })
  }

  ask(event: UntimedQuestion, options: AskOptions = {}): Promise<Answer> {
    if (this.#stopped) return Promise.reject(stopping())
    return new Promise((resolve, reject) => {
      const callId = this.#nextCallId++
      this.#calls.set(callId, { ...options, resolve, reject })
      this.#take({ ...event, atMs: this.#ports.clock.nowMs(), callId })
    })
  }

  read<T>(look: (state: State) => T): Promise<T> {
    return new Promise((resolve) => {
      const read = (): void => resolve((async () => look(this.state))())
      if (this.#unwritten.length === 0) return read()
      this.#readers.push(read)
      this.#schedule()
    })
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearInterval(this.#timer)
    await this.#draining
    // After a failure nothing more is remembered.
    if (this.#draining === undefined) await this.#flush()
    for (const { reject } of this.#calls.values()) reject(stopping())
    this.#calls.clear()
    await this.#ports.journal.close()
  }

  #take(event: Event): void {
    this.#inbox.push(event)
    this.#schedule()
  }

  /** What arrives in the same turn is decided together and flushed at once. */
  #schedule(): void {
    this.#draining ??= new Promise((resolve) => {
      setImmediate(() => void this.#drain().catch(this.#ports.onFatal).then(resolve))
    })
  }

  async #drain(): Promise<void> {
    do {
      const events = this.#inbox
      this.#inbox = []
      const out = createOut()
      for (const event of events) {
        decide(this.state, event, out)
        this.notes.note(this.state, event, out)
      }
      const atMs = this.nowMs()
      placeQueued(this.state, atMs, out)
      this.notes.noteRest(this.state, atMs, out)
      const isTick = events.some(({ kind }) => kind === 'timePassed')
      await this.#release(out, isTick)
      this.#ports.onChange?.()
    } while (this.#inbox.length > 0)
    this.#draining = undefined
  }

  #answerEarly(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.kind !== 'answer' || !this.#calls.get(effect.callId)?.early) continue
      this.#calls.get(effect.callId)?.resolve(effect)
      this.#calls.delete(effect.callId)
    }
  }

  /**
   * Durable before visible: a replayed journal must explain everything that was ever said. So facts that nothing follows from
   * (a client gave up results that no worker holds) go with the next flush, the tick's at the latest.
   */
  async #release({ facts, effects }: Out, isTick: boolean): Promise<void> {
    for (const fact of facts) this.#unwritten.push(fact)
    if (effects.length === 0 && this.#readers.length === 0 && !isTick) return
    this.#answerEarly(effects)
    const { early, late } = byFlush({ facts: this.#unwritten, effects })
    if (early.length > 0) {
      this.#ports.perform(early)
      // Node gives a socket what was written in a turn when the turn is over: the dispatch need not wait for the flush's own work.
      await new Promise((resolve) => setImmediate(resolve))
    }
    await this.#flush()
    const readers = this.#readers
    this.#readers = []
    for (const read of readers) read()
    let answered = false
    for (const effect of effects) {
      if (effect.kind !== 'answer') continue
      this.#calls.get(effect.callId)?.resolve(effect)
      this.#calls.delete(effect.callId)
      answered = true
    }
    // Who asked hears the answer before what follows from it: a submit is acknowledged before its first settle is told.
    if (answered) await new Promise((resolve) => setImmediate(resolve))
    this.#ports.perform(late)
  }

  async #flush(): Promise<void> {
    if (this.#unwritten.length === 0) return
    await this.#ports.journal.append(this.#unwritten)
    this.#unwritten = []
  }
}

function stopping(): Error {
  return new Error('the scheduler is stopping')
}
