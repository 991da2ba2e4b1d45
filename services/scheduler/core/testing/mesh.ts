import { isDeepStrictEqual } from 'node:util'

import { expect } from 'vitest'

import type { JobId, ObjectId, SessionId, TaskFailure, WorkerId } from '#libs/domain'

import { apply } from '../apply.js'
import { decide, placeQueued } from '../decide.js'
import { createOut, type Effect, type Out } from '../effect.js'
import type { AttemptRef, Event, HeldObject } from '../event.js'
import type { Fact } from '../fact.js'
import { checkInvariants } from '../invariants.js'
import { defaultPolicy, type Policy } from '../policy.js'
import { startResync } from '../resync.js'
import { isOnWorker } from '../slots.js'
import { createState, type Outcome, type State, type Task } from '../state.js'
import { createStoryNotes } from '../story-notes.js'
import { durablePartOf } from './durable.js'
import type { FinishOptions, JoinOptions, SubmitOptions, TestTask } from './mesh-options.js'
import { needsOf } from './needs.js'
import { renderEffect, renderStatus } from './rendering.js'
import { steady } from './steady-retry.js'

export type { SubmitOptions, TestTask } from './mesh-options.js'

type Untimed<E> = E extends unknown ? Omit<E, 'atMs'> : never

export interface MeshOptions {
  /** Whether invariants and facts are checked after each event; they are unless told otherwise. */
  readonly verifies?: boolean
  /** What a replay gets of the facts: the same, unless they are sent through a codec. */
  readonly stored?: (facts: readonly Fact[]) => readonly Fact[]
}

/**
 * The core of a scheduler, spoken to in the words of the domain. After every event the invariants must hold, and the
 * facts alone must rebuild what is durable.
 */
export class Mesh {
  readonly facts: Fact[] = []
  nowMs = 1_000_000
  state: State
  notes = createStoryNotes()
  #replica: State
  readonly #policy: Policy
  readonly #verifies: boolean
  readonly #stored: (facts: readonly Fact[]) => readonly Fact[]
  readonly #names = new Map<ObjectId, string>()
  readonly #ids = new Map<string, ObjectId>()
  readonly #effects: Effect[] = []
  #lines: string[] = []
  #jobCount = 0
  #workerCount = 0

  constructor(policy: Partial<Policy> = {}, options: MeshOptions = {}) {
    this.#policy = { ...defaultPolicy, ...policy }
    this.#verifies = options.verifies ?? true
    this.#stored = options.stored ?? ((facts) => facts)
    this.state = createState(this.#policy)
    this.#replica = createState(this.#policy)
    this.#remember([{ kind: 'epochRaised', epoch: 1 }], this.state)
  }

  // What happens ------------------------------------------------------------------------------------------------------

  /** One event, decided and placed like a batch of its own. */
  happen(event: Untimed<Event>): void {
    const out = createOut()
    const timed: Event = { ...event, atMs: this.nowMs }
    decide(this.state, timed, out)
    this.notes.note(this.state, timed, out)
    placeQueued(this.state, this.nowMs, out)
    this.notes.noteRest(this.state, this.nowMs, out)
    this.#take(out)
  }

  /** Submits a job; returns its id. */
  submit(tasks: readonly TestTask[], options: SubmitOptions = {}): JobId {
    const jobId = (options.job ?? `j${++this.#jobCount}`) as JobId
    const needs = needsOf(options)
    const { retries = {} } = options
    const own = Object.keys(retries)
    const specs = tasks.map((task, index) => {
      const [name, ...inputs] = typeof task === 'string' ? [task] : task
      this.#name(name, `${jobId}/${index}` as ObjectId)
      const dependencies = inputs.map((input) => this.#ids.get(input) ?? (input as ObjectId))
      const input = new Uint8Array(options.inputBytes ?? 1)
      const retryPolicy = own.indexOf(name) + 1
      const rest = { ...(needs && { needs: 1 }), ...(retryPolicy > 0 && { retryPolicy }) }
      return { functionIndex: 0, input, dependencies, name, timeoutMs: undefined, ...rest }
    })
    this.happen({
      kind: 'jobSubmitted',
      requestId: options.request ?? `request of ${jobId}`,
      ...(options.session === undefined ? {} : { sessionId: options.session as SessionId }),
      callId: 1,
      ...(options.parent === undefined ? {} : { parent: { ...this.ref(options.parent), ...options.attempt } }),
      job: {
        jobId,
        name: '',
        functions: [{ bundleDigest: 'bundle', taskName: options.kind ?? 'f' }],
        tasks: specs,
        ...(needs && { needs: [needs] }),
        seed: 0n,
        trace: {},
        detached: options.detached ?? false,
        ...(options.retry ? { retry: { ...steady, ...options.retry } } : {}),
        ...(own.length > 0
          ? { retryPolicies: Object.values(retries).map((policy) => ({ ...steady, ...policy })) }
          : {}),
        ...(options.deadlineMs === undefined ? {} : { deadlineMs: this.nowMs + options.deadlineMs }),
        failFast: options.failFast ?? false,
      },
    })
    return jobId
  }

  /** So many workers join: w1, w2, … */
  workers(count: number, slots = 1): void {
    for (let i = 0; i < count; i++) this.join(`w${++this.#workerCount}`, { slots })
  }

  /** A worker joins, or joins again, with what it says it has. */
  join(worker: string, has: JoinOptions = {}): void {
    const workerId = worker as WorkerId
    const known = this.state.workers.get(workerId)?.profile
    const slots = has.slots ?? known?.slots ?? 1
    const host = has.host ?? known?.host ?? 'host'
    const { memoryLimitBytes = 0, endsAtMs } = has
    const own = { workerId, host, slots, memoryLimitBytes, resources: has.resources ?? known?.resources ?? {} }
    const ends = endsAtMs === undefined ? {} : { endsAtMs }
    const profile = { ...own, ...ends, pid: 1, addresses: ['host:1'], executor: 'thread' as const }
    this.happen({
      kind: 'workerJoined',
      profile,
      attempts: (has.attempts ?? []).map((ref) => ({ running: true, behind: [], ...ref })),
      objects: (has.objects ?? []).map((object) => (typeof object === 'string' ? this.held(object) : object)),
      stored: has.stored ?? [],
      ...(has.predecessor ? { predecessor: has.predecessor } : {}),
    })
  }

  /** The link is cut; the worker goes on. */
  cut(worker: string): void {
    this.happen({ kind: 'workerUnlinked', workerId: worker as WorkerId })
  }

  /** The link is cut and nobody comes back. */
  lose(worker: string): void {
    this.cut(worker)
    this.pass(this.#policy.relinkGraceMs + 1)
  }

  leave(worker: string): void {
    this.happen({ kind: 'workerLeft', workerId: worker as WorkerId })
  }

  /** Time passes in ticks; workers that are linked say that they are alive. */
  pass(ms: number): void {
    const untilMs = this.nowMs + ms
    while (this.nowMs < untilMs) {
      this.nowMs = Math.min(untilMs, this.nowMs + 500)
      for (const { profile, unlinkedSinceMs, pulse } of this.state.workers.values()) {
        if (unlinkedSinceMs === undefined) this.happen({ kind: 'workerHeard', workerId: profile.workerId, pulse })
      }
      this.tick()
    }
  }

  tick(): void {
    this.happen({ kind: 'timePassed' })
  }

  start(name: string): void {
    const { workerId, ref } = this.#placed(name)
    this.happen({ kind: 'tasksStarted', workerId, attempts: [{ ...ref, startedAtMs: this.nowMs }] })
  }

  /** The task waits for what it submitted. */
  await(name: string, wait = 1): void {
    this.#sayWait(name, wait, false)
  }

  /** The task has what it waited for. */
  wake(name: string, wait = 1): void {
    this.#sayWait(name, wait, true)
  }

  #sayWait(name: string, wait: number, isOver: boolean): void {
    const { workerId, ref } = this.#placed(name)
    this.happen({ kind: 'tasksWaited', workerId, waits: [{ ...ref, wait, isOver }] })
  }

  finish(name: string, options: FinishOptions = {}): void {
    const { workerId, ref } = this.#placed(name)
    this.reportFinished(workerId, ref, options)
  }

  /** A worker says that an attempt finished, whether it is the current one or not. */
  reportFinished(worker: string, ref: AttemptRef, options: FinishOptions = {}): void {
    const { bytes, inlineBytes = 1, runMs = 1_000, savedCheckpoint = false } = options
    const objectId = `${ref.jobId}/${ref.index}` as ObjectId
    const result =
      bytes === undefined
        ? ({ kind: 'inline', payload: new Uint8Array(inlineBytes) } as const)
        : ({ kind: 'object', descriptor: descriptorOf(objectId), byteLength: bytes } as const)
    this.#report(worker, ref, { kind: 'finished', result }, runMs, savedCheckpoint)
  }

  fail(name: string, failure: Partial<TaskFailure> = {}): void {
    const { workerId, ref } = this.#placed(name)
    this.#report(workerId, ref, { kind: 'failed', failure: { ...boom, ...failure } }, 100)
  }

  /** The worker could not get the task's inputs. */
  missInputs(name: string): void {
    this.fail(name, { kind: 'input', reason: 'INPUT_UNAVAILABLE', message: 'the holder does not answer' })
  }

  giveBack(worker: string, ...names: string[]): void {
    const attempts = names.map((name) => this.ref(name))
    this.happen({ kind: 'tasksReturned', workerId: worker as WorkerId, attempts })
  }

  /** The worker gives back what it was asked for. */
  giveRecalled(worker: string, ...names: string[]): void {
    const attempts = names.map((name) => this.ref(name))
    this.happen({ kind: 'tasksReturned', workerId: worker as WorkerId, attempts, recalled: true })
  }

  cancel(...names: string[]): void {
    const jobId = this.task(names[0] ?? '').job.spec.jobId
    this.happen({ kind: 'cancelRequested', jobId, indices: names.map((name) => this.task(name).index), reason: 'test' })
  }

  cancelJob(jobId: string): void {
    this.happen({ kind: 'cancelRequested', jobId: jobId as JobId, reason: 'test' })
  }

  release(...names: string[]): void {
    this.happen({ kind: 'objectsReleased', objectIds: names.map((name) => this.idOf(name)) })
  }

  /** A client scatters a buffer to a worker. */
  scatter(worker: string, name: string, session?: string, byteLength = 1_000): void {
    const stored = { requestId: `stored-${name}`, objects: [this.#buffer(name, byteLength)] }
    const sessionId = session as SessionId | undefined
    this.happen({ kind: 'objectsStored', workerId: worker as WorkerId, sessionId, ...stored })
  }

  /** A client puts a buffer into the checkpoint-store. */
  /** The worker has got a copy of a result from another one. */
  copy(worker: string, name: string, byteLength = 1_000): void {
    const requestId = `copy of ${name} on ${worker}`
    const objects = [this.held(name, byteLength)]
    this.happen({ kind: 'objectsStored', workerId: worker as WorkerId, requestId, sessionId: undefined, objects })
  }

  scatterBlob(name: string, session: string): void {
    const objects = [{ ...this.#buffer(name, 1_000), blobDigest: `blob of ${name}` }]
    this.happen({ kind: 'blobsScattered', sessionId: session as SessionId, objects })
  }

  #buffer(name: string, byteLength: number): HeldObject {
    const objectId = `o-${name}` as ObjectId
    this.#name(name, objectId)
    return { objectId, descriptor: descriptorOf(objectId), byteLength }
  }

  drop(worker: string, ...names: string[]): void {
    const objectIds = names.map((name) => this.idOf(name))
    this.happen({ kind: 'objectsDropped', workerId: worker as WorkerId, objectIds })
  }

  open(session: string): void {
    this.happen({ kind: 'sessionOpened', sessionId: session as SessionId })
  }

  close(session: string): void {
    this.happen({ kind: 'sessionClosed', sessionId: session as SessionId })
  }

  /** The scheduler's process ends and another one replays what was remembered. */
  restart(): void {
    this.state = this.#replica
    this.notes = createStoryNotes()
    this.#replica = createState(this.#policy)
    for (const fact of this.#stored(this.facts)) apply(this.#replica, fact)
    this.#remember([{ kind: 'epochRaised', epoch: this.state.epoch + 1 }], this.state)
    const out = createOut()
    startResync(this.state, this.nowMs, out)
    placeQueued(this.state, this.nowMs, out)
    this.#take(out)
  }

  // What is then true -------------------------------------------------------------------------------------------------

  /** What was to be done since the last call, in order and complete. */
  effects(): string[] {
    const lines = this.#lines
    this.#lines = []
    this.#effects.length = 0
    return lines
  }

  /** The same as data. */
  rawEffects(): readonly Effect[] {
    return this.#effects
  }

  status(name: string): string {
    return renderStatus(this.task(name))
  }

  failure(name: string): TaskFailure {
    const { status } = this.task(name)
    if (status.kind !== 'settled' || status.outcome.kind === 'finished') throw new Error(`${name} has not failed`)
    return status.outcome.failure
  }

  /** The attempt that the task is in. */
  ref(name: string): AttemptRef {
    return this.#placed(name).ref
  }

  task(name: string): Task {
    const id = this.idOf(name)
    const task = this.state.jobs.get(id.slice(0, id.lastIndexOf('/')) as JobId)?.tasks[
      Number(id.slice(id.lastIndexOf('/') + 1))
    ]
    if (task === undefined) throw new Error(`no task ${name}`)
    return task
  }

  idOf(name: string): ObjectId {
    return this.#ids.get(name) ?? (name as ObjectId)
  }

  /** The object as its holder describes it. */
  held(name: string, byteLength = 1_000): HeldObject {
    const objectId = this.idOf(name)
    return { objectId, descriptor: descriptorOf(objectId), byteLength }
  }

  // -------------------------------------------------------------------------------------------------------------------

  #report(worker: string, ref: AttemptRef, outcome: Outcome, runMs: number, savedCheckpoint = false): void {
    const { jobId, index, epoch, attempt } = ref
    const times = { startedAtMs: this.nowMs - runMs, endedAtMs: this.nowMs, slot: 0 }
    const end = { jobId, index, epoch, attempt, outcome, ...times, savedCheckpoint }
    this.happen({ kind: 'tasksEnded', workerId: worker as WorkerId, ends: [end] })
  }

  #placed(name: string): { workerId: WorkerId; ref: AttemptRef } {
    const { status, job, index } = this.task(name)
    if (!isOnWorker(status)) throw new Error(`${name} is on no worker`)
    const { workerId, epoch, attempt } = status
    return { workerId, ref: { jobId: job.spec.jobId, index, epoch, attempt } }
  }

  #name(name: string, objectId: ObjectId): void {
    this.#names.set(objectId, name)
    this.#ids.set(name, objectId)
  }

  #take({ facts, effects }: Out): void {
    this.#remember(facts)
    for (const effect of effects) {
      this.#effects.push(effect)
      this.#lines.push(renderEffect(effect, (id) => this.#names.get(id) ?? id))
    }
    if (!this.#verifies) return
    checkInvariants(this.state)
    const [rebuilt, real] = [durablePartOf(this.#replica), durablePartOf(this.state)]
    if (!isDeepStrictEqual(rebuilt, real)) expect(rebuilt).toEqual(real)
  }

  #remember(facts: readonly Fact[], alsoApplyTo?: State): void {
    for (const fact of facts) {
      this.facts.push(fact)
      if (alsoApplyTo) apply(alsoApplyTo, fact)
    }
    for (const fact of this.#stored(facts)) apply(this.#replica, fact)
  }
}

const boom: TaskFailure = { kind: 'userError', reason: 'TASK_THREW', message: 'boom' }

function descriptorOf(objectId: string): Uint8Array {
  return new TextEncoder().encode(objectId)
}

export function createMesh(policy: Partial<Policy> = {}, options: MeshOptions = {}): Mesh {
  return new Mesh(policy, options)
}
