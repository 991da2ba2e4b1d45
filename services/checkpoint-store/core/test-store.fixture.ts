import { expect } from 'vitest'

import { apply } from './apply.js'
import { decide } from './decide.js'
import { createOut, type Effect, type Refusal } from './effect.js'
import type { Answers, Event, NamedVersion } from './event.js'
import type { Fact } from './fact.js'
import { checkInvariants } from './invariants.js'
import { summarize } from './snapshot.js'
import {
  type CheckpointInfo,
  createState,
  defaultPolicy,
  type Digest,
  isLive,
  type Policy,
  type State,
} from './state.js'

type Untimed<E> = E extends unknown ? Omit<E, 'atMs' | 'callId'> : never

const noInfo: CheckpointInfo = { labels: [] }
/** How long every body is in these tests. */
export const bodyBytes = 100

/** A store that is only its core, spoken to in the words of its callers. Every step is checked. */
export class TestStore {
  readonly policy: Policy
  state: State
  nowMs = 1_000_000
  /** Everything that a restart would replay. */
  readonly facts: Fact[] = []
  /** The blobs whose files were to be deleted since this was last looked at. */
  garbage: Digest[] = []
  #nextId = 1

  constructor(policy: Partial<Policy> = {}) {
    this.policy = { ...defaultPolicy, ...policy }
    this.state = createState(this.policy)
  }

  /** What follows from an event, after checking everything that must hold after every event. */
  feed(event: Untimed<Event>): Effect[] {
    const out = createOut()
    decide(this.state, { ...event, atMs: this.nowMs, callId: this.#nextId++ } as Event, out)
    this.facts.push(...out.facts)
    checkInvariants(this.state)
    for (const effect of out.effects) if (effect.kind === 'collectBlob') this.garbage.push(effect.digest)
    return out.effects
  }

  /** The answer to a question, or why there is none. */
  ask<Kind extends keyof Answers>(question: Untimed<Extract<Event, { kind: Kind }>>): Answers[Kind] | Refusal {
    const effect = this.feed(question).find(({ kind }) => kind === 'answer' || kind === 'refuse')
    if (effect?.kind === 'answer') return effect.value as Answers[Kind]
    return effect?.kind === 'refuse' ? effect.refusal : expect.fail('no answer')
  }

  openPut(target: { blob: Digest } | { checkpoint: string; requestId: string }, byteLength = bodyBytes): unknown {
    const putId = this.#nextId++
    const opened = this.ask<'putOpened'>({
      kind: 'putOpened',
      putId,
      byteLength,
      target:
        'blob' in target
          ? { kind: 'blob', digest: target.blob }
          : { kind: 'checkpoint', name: target.checkpoint, requestId: target.requestId },
    })
    return 'code' in opened ? opened : opened.kind === 'accepted' ? putId : opened
  }

  /** Puts a whole blob. */
  put(digest: Digest): unknown {
    const putId = this.openPut({ blob: digest })
    if (typeof putId !== 'number') return putId
    return this.ask<'blobStored'>({ kind: 'blobStored', putId, digest, byteLength: bodyBytes })
  }

  /** Saves a whole version of a checkpoint. */
  save(name: string, digest: Digest, options: { requestId?: string; structure?: Digest } = {}): unknown {
    const { requestId = `request-${this.#nextId}`, structure } = options
    const putId = this.openPut({ checkpoint: name, requestId })
    if (typeof putId !== 'number') return putId
    return this.storeCheckpoint(putId, name, digest, requestId, structure)
  }

  storeCheckpoint(putId: number, name: string, digest: Digest, requestId: string, structure?: Digest): unknown {
    return this.ask<'checkpointStored'>({
      kind: 'checkpointStored',
      ...{ putId, requestId, name, digest, byteLength: bodyBytes, info: noInfo },
      structure:
        structure === undefined ? { kind: 'none' } : { kind: 'blob', digest: structure, byteLength: bodyBytes },
    })
  }

  /** Opens a get; its id and what it was answered. */
  get(target: { blob: Digest } | { checkpoint: string; version?: number }): { getId: number; answer: unknown } {
    const getId = this.#nextId++
    const answer = this.ask<'getOpened'>({
      kind: 'getOpened',
      getId,
      target:
        'blob' in target
          ? { kind: 'blob', digest: target.blob }
          : { kind: 'checkpoint', name: target.checkpoint, version: target.version ?? 0 },
    })
    return { getId, answer }
  }

  remove(name: string, requestId = `request-${this.#nextId}`): unknown {
    return this.ask<'deleteRequested'>({ kind: 'deleteRequested', name, requestId })
  }

  versions(name: string): number[] {
    return this.state.checkpoints.get(name)?.versions.map(({ version }) => version) ?? []
  }

  list(prefix = '', after = '', limit = 100): { names: string[]; more: boolean } {
    const page = this.ask<'checkpointsListed'>({ kind: 'checkpointsListed', prefix, after, limit })
    if ('code' in page) return expect.fail(page.message)
    return { names: page.checkpoints.map(({ name }: NamedVersion) => name), more: page.more }
  }

  /** Does what the effects ask for: the files that may go, go. */
  collect(): Digest[] {
    const wanted = [...new Set(this.garbage.splice(0))]
    return wanted.filter((digest) => this.ask<'collectionDue'>({ kind: 'collectionDue', digest }) === true)
  }

  /** The same store after a crash: from its facts, and what lies on the disk. */
  restart(found: readonly Digest[] = [...this.state.blobs.keys()]): void {
    this.state = replay(this.facts, this.policy)
    const byteLengthOf = (digest: Digest): number => this.state.blobs.get(digest)?.byteLength ?? bodyBytes
    this.feed({ kind: 'storageScanned', blobs: new Map(found.map((digest) => [digest, byteLengthOf(digest)])) })
  }
}

export function replay(facts: Iterable<Fact>, policy: Policy): State {
  const state = createState(policy)
  for (const fact of facts) apply(state, fact)
  return state
}

/** What a restart must bring back. */
export function durablePartOf(state: State): unknown {
  return {
    checkpoints: [...state.checkpoints].sort(([a], [b]) => (a < b ? -1 : 1)),
    names: state.names,
    blobs: [...state.blobs.values()]
      .filter(isLive)
      .map(({ digest, byteLength, kept, references, lastUsedMs }) => ({
        ...{ digest, byteLength, kept, references },
        lastUsedMs: kept ? lastUsedMs : 0,
      }))
      .sort((a, b) => (a.digest < b.digest ? -1 : 1)),
    liveBytes: state.liveBytes,
    requests: [...state.requests],
  }
}

/** A snapshot of a state, as facts. */
export function snapshotOf(state: State): Fact[] {
  return [...summarize(state)]
}
