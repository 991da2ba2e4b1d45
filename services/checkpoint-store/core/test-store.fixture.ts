import { expect } from 'vitest'

import { apply } from './apply.js'
import { decide } from './decide.js'
import { createOut, type Effect, type Refusal } from './effect.js'
import type { Answers, Event, NamedVersion, PruneRule } from './event.js'
import type { Fact } from './fact.js'
import { checkInvariants } from './invariants.js'
import { type Body, createState, defaultPolicy, type Digest, type Policy, type State } from './state.js'

type Untimed<E> = E extends unknown ? Omit<E, 'atMs' | 'callId'> : never

/** How long every chunk is in these tests. */
export const chunkLength = 100

/** What a save may say beside name and bytes. */
export interface SaveOptions {
  readonly requestId?: string
  readonly structure?: Digest
  readonly writerToken?: number
  readonly etag?: string
  readonly labels?: Readonly<Record<string, string>>
}

/** A body of these chunks, named by the first one. */
export function bodyOf(...digests: readonly Digest[]): Body {
  const chunks = digests.map((digest) => ({ digest, byteLength: chunkLength, checksum: digest }))
  const byteLength = digests.length * chunkLength
  return { digest: digests[0] ?? '', byteLength, checksum: '', content: { kind: 'chunks', chunks } }
}

/** A store that is only its core, spoken to in the words of its callers. Every step is checked. */
export class TestStore {
  readonly policy: Policy
  state: State
  nowMs = 1_000_000
  /** Everything that a restart would replay. */
  readonly facts: Fact[] = []
  /** The chunks whose files were to be deleted since this was last looked at. */
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
    for (const effect of out.effects) if (effect.kind === 'collectChunk') this.garbage.push(effect.digest)
    return out.effects
  }

  /** The answer to a question, or why there is none. */
  ask<Kind extends keyof Answers>(question: Untimed<Extract<Event, { kind: Kind }>>): Answers[Kind] | Refusal {
    const effect = this.feed(question).find(({ kind }) => kind === 'answer' || kind === 'refuse')
    if (effect?.kind === 'answer') return effect.value as Answers[Kind]
    return effect?.kind === 'refuse' ? effect.refusal : expect.fail('no answer')
  }

  openPut(
    target: { blob: Digest; claimant?: string } | ({ checkpoint: string } & SaveOptions),
    byteLength = chunkLength,
  ): unknown {
    const putId = this.#nextId++
    const opened = this.ask<'putOpened'>({
      kind: 'putOpened',
      putId,
      byteLength,
      target:
        'blob' in target
          ? { kind: 'blob', digest: target.blob, ...claimedBy(target.claimant) }
          : { kind: 'checkpoint', ...this.#targetOf(target.checkpoint, target) },
    })
    return 'code' in opened ? opened : opened.kind === 'accepted' ? putId : opened
  }

  /** Whether a put need not write the chunk. */
  seekChunk(putId: unknown, digest: Digest): unknown {
    return this.ask<'chunkSought'>({ kind: 'chunkSought', putId: putId as number, digest })
  }

  /** Puts a whole blob; one of several chunks is named by the first. */
  put(...digests: readonly [Digest, ...Digest[]]): unknown {
    const putId = this.openPut({ blob: digests[0] })
    if (typeof putId !== 'number') return putId
    return this.ask<'blobStored'>({ kind: 'blobStored', putId, body: bodyOf(...digests) })
  }

  /** The same of a blob that is kept for somebody. */
  claim(digest: Digest, claimant: string): unknown {
    const putId = this.openPut({ blob: digest, claimant })
    if (typeof putId !== 'number') return putId
    return this.ask<'blobStored'>({ kind: 'blobStored', putId, body: bodyOf(digest), claimant })
  }

  release(digest: Digest, claimant: string): unknown {
    return this.ask<'blobsReleased'>({ kind: 'blobsReleased', claims: [{ digest, claimant }] })
  }

  /** Saves a whole version of a checkpoint. */
  save(name: string, digest: Digest | readonly Digest[], options: SaveOptions = {}): unknown {
    const { requestId = `request-${this.#nextId}` } = options
    const putId = this.openPut({ checkpoint: name, ...options, requestId })
    if (typeof putId !== 'number') return putId
    return this.storeCheckpoint(putId, name, digest, { ...options, requestId })
  }

  /** Saves a version that lies in the catalogue, in one step. */
  saveSmall(name: string, text: string, options: SaveOptions = {}): unknown {
    const { requestId = `request-${this.#nextId}`, labels = {} } = options
    const bytes = Buffer.from(text)
    return this.ask<'checkpointCame'>({
      kind: 'checkpointCame',
      target: this.#targetOf(name, { ...options, requestId }),
      body: { digest: text, byteLength: bytes.byteLength, checksum: '', content: { kind: 'inline', bytes } },
      structure: undefined,
      info: { labels: Object.entries(labels) },
    })
  }

  storeCheckpoint(putId: number, name: string, digest: Digest | readonly Digest[], options: SaveOptions): unknown {
    const { structure, labels = {} } = options
    return this.ask<'checkpointStored'>({
      kind: 'checkpointStored',
      putId,
      target: this.#targetOf(name, options),
      body: bodyOf(...(typeof digest === 'string' ? [digest] : digest)),
      structure: structure === undefined ? undefined : bodyOf(structure),
      info: { labels: Object.entries(labels) },
    })
  }

  lease(name: string, holder: string, requestId = `request-${this.#nextId}`): unknown {
    return this.ask<'leaseRequested'>({ kind: 'leaseRequested', name, holder, requestId })
  }

  /** A lease that is given. */
  tokenFor(name: string, holder: string): number {
    return (this.lease(name, holder) as { token: number }).token
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

  remove(name: string, requestId = `request-${this.#nextId}`, { version = 0, etag = '' } = {}): unknown {
    return this.ask<'deleteRequested'>({ kind: 'deleteRequested', name, requestId, version, etag })
  }

  prune(rule: Partial<PruneRule>, isRehearsal = false): { versions: string[]; freedBytes: number } {
    const whole = { prefix: '', keepVersions: 1, keepForMs: 0, labels: [], ...rule }
    const pruned = this.ask<'pruneRequested'>({ kind: 'pruneRequested', rule: whole, isRehearsal })
    if ('code' in pruned) return expect.fail(pruned.message)
    const versions = pruned.versions.map(({ name, version }) => `${name}@${version.version}`)
    return { versions, freedBytes: pruned.freedBytes }
  }

  sweep(): void {
    this.feed({ kind: 'sweepDue' })
  }

  versions(name: string): number[] {
    return this.state.checkpoints.get(name)?.versions.map(({ version }) => version) ?? []
  }

  list(prefix = '', after = '', limit = 100): { names: string[]; more: boolean } {
    const page = this.ask<'checkpointsListed'>({
      kind: 'checkpointsListed',
      ...{ prefix, after, limit, labels: [], allVersions: false },
    })
    if ('code' in page) return expect.fail(page.message)
    return { names: page.checkpoints.map(({ name }: NamedVersion) => name), more: page.more }
  }

  /** All versions that have these labels, page after page. */
  listVersions(labels: Readonly<Record<string, string>>, limit: number): string[] {
    const found: string[] = []
    for (let after = '', more = true; more;) {
      const page = this.ask<'checkpointsListed'>({
        kind: 'checkpointsListed',
        ...{ prefix: '', after, limit, labels: Object.entries(labels), allVersions: true },
      })
      if ('code' in page) return expect.fail(page.message)
      found.push(...page.checkpoints.map(({ name, version }) => `${name}@${version.version}`))
      after = page.checkpoints.at(-1)?.name ?? after
      more = page.more
    }
    return found
  }

  /** Does what the effects ask for: the files that may go, go. */
  collect(): Digest[] {
    const wanted = [...new Set(this.garbage.splice(0))]
    return wanted.filter((digest) => this.ask<'collectionDue'>({ kind: 'collectionDue', digest }) === true)
  }

  /** The same store after a crash: from its facts, and what lies on the disk. */
  restart(found: readonly Digest[] = [...this.state.chunks.keys()]): void {
    this.state = replay(this.facts, this.policy)
    this.feed({ kind: 'storageScanned', chunks: new Map(found.map((digest) => [digest, chunkLength])) })
  }

  #targetOf(name: string, { requestId = '', writerToken = 0, etag = '' }: SaveOptions) {
    return { name, requestId, writerToken, etag }
  }
}

function claimedBy(claimant: string | undefined): { readonly claimant?: string } {
  return claimant === undefined ? {} : { claimant }
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
    leases: new Map(state.leases),
    reservedTokens: state.reservedTokens,
    blobs: new Map(state.blobs),
    claims: new Map([...state.claims].map(([digest, claims]) => [digest, new Set(claims)])),
    chunks: [...state.chunks.values()]
      .filter(({ references }) => references > 0)
      .map(({ digest, byteLength, references }) => ({ digest, byteLength, references }))
      .sort((a, b) => (a.digest < b.digest ? -1 : 1)),
    liveBytes: state.liveBytes,
    requests: new Map(state.requests),
    shelves: state.shelves,
  }
}
