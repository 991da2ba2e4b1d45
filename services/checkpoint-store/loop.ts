import type { Clock } from '#libs/lifecycle'

import { apply } from './core/apply.js'
import { decide } from './core/decide.js'
import { createOut, type Effect, type Refusal } from './core/effect.js'
import type { Answers, Event } from './core/event.js'
import type { Fact } from './core/fact.js'
import type { State } from './core/state.js'
import type { Catalogue } from './storage/catalogue.js'
import type { Pass } from './storage/failpoint.js'

type Untimed<E> = E extends unknown ? Omit<E, 'atMs' | 'callId'> : never
/** An event as the rim knows it; the loop adds when it happened. */
export type UntimedEvent = Untimed<Event>
/** A question as the rim asks it. */
export type Question<Kind extends keyof Answers> = Extract<UntimedEvent, { readonly kind: Kind }>

/** What a question was answered with. */
export type Answer<Kind extends keyof Answers> = { readonly value: Answers[Kind] } | { readonly refusal: Refusal }

/** Does what the core decided. Gets everything that follows from one batch of events at once. */
export type Perform = (effects: readonly Effect[]) => void

/** The one owner of the store's state: the only place where state, time and I/O meet. */
export interface Loop {
  /** For reading between two events, never for changing. It may be ahead of what is durable. */
  readonly state: State
  post(event: UntimedEvent): void
  /** Posts an event and resolves with its answer once what it changed is remembered. */
  ask<Kind extends keyof Answers>(question: Question<Kind> & { readonly kind: Kind }): Promise<Answer<Kind>>
  /** Hears of the facts of each batch once they are remembered; returns how to stop that. */
  watch(watcher: (facts: readonly Fact[]) => void): () => void
  /** Finishes what was posted and closes the catalogue. What is posted later is not heard, what is asked is refused. */
  stop(): Promise<void>
}

export interface LoopPorts {
  readonly state: State
  readonly catalogue: Catalogue
  readonly clock: Clock
  readonly perform: Perform
  /** A failed flush or a bug: the process must end, the next start replays. */
  readonly onFatal: (error: unknown) => void
  readonly pass?: Pass
}

const stopping: Refusal = {
  code: 'UNAVAILABLE',
  reason: 'SHUTTING_DOWN',
  message: 'the checkpoint-store is shutting down: call again shortly',
}

/** Replays the catalogue and starts the loop. */
export async function startLoop(ports: LoopPorts): Promise<Loop> {
  const { state, catalogue, clock, perform, onFatal, pass = () => undefined } = ports
  pass('before-catalogue-replay')
  for await (const fact of catalogue.replay()) apply(state, fact)
  pass('after-catalogue-replay')

  let inbox: Event[] = []
  /** What was decided since the last flush began. */
  let decided = createOut()
  let working: Promise<void> | undefined
  let flushing: Promise<void> | undefined
  let nextCallId = 1
  let stopped = false
  const watchers = new Set<(facts: readonly Fact[]) => void>()
  const calls = new Map<number, (answer: Answer<keyof Answers>) => void>()

  const post = (event: UntimedEvent, callId?: number): void => {
    if (stopped) return
    inbox.push({ ...event, atMs: clock.nowMs(), ...(callId === undefined ? {} : { callId }) } as Event)
    working ??= new Promise((resolve) => setImmediate(() => void work().catch(fail).then(resolve)))
  }

  // Decides also while a flush runs: who waits only for leave to send its bytes waits for no disk.
  const work = async (): Promise<void> => {
    const events = inbox
    inbox = []
    const out = createOut()
    for (const event of events) decide(state, event, out)
    for (const effect of out.effects) {
      if (effect.kind === 'answer' && effect.isPermission) release(effect)
      else decided.effects.push(effect)
    }
    decided.facts.push(...out.facts)
    working = undefined
    flushing ??= flush()
      .catch(fail)
      .finally(() => (flushing = undefined))
    await flushing
  }

  const flush = async (): Promise<void> => {
    while (decided.facts.length + decided.effects.length > 0) {
      const { facts, effects } = decided
      decided = createOut()
      // Durable before visible: a replayed catalogue must explain everything that was ever said.
      if (facts.length > 0) {
        pass('before-catalogue-flush')
        await catalogue.append(facts)
        pass('after-catalogue-flush')
      }
      for (const effect of effects) release(effect)
      perform(effects)
      if (facts.length > 0) for (const watcher of watchers) watcher(facts)
    }
  }

  const fail = (error: unknown): void => {
    stopped = true
    onFatal(error)
  }

  const release = (effect: Effect): void => {
    if (effect.kind === 'collectChunk') return
    calls.get(effect.callId)?.(effect.kind === 'refuse' ? { refusal: effect.refusal } : { value: effect.value })
    calls.delete(effect.callId)
  }

  return {
    state,
    post,
    ask: (question) =>
      new Promise((resolve) => {
        if (stopped) return resolve({ refusal: stopping })
        const callId = nextCallId++
        // The core answers a question with the answer of its kind.
        calls.set(callId, resolve as (answer: Answer<keyof Answers>) => void)
        post(question, callId)
      }),
    watch: (watcher) => {
      watchers.add(watcher)
      return () => void watchers.delete(watcher)
    },
    stop: async () => {
      stopped = true
      await working
      await flushing
      await catalogue.close()
    },
  }
}
