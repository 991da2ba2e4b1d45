import { type JobId, parseTaskId, type SessionId, type WorkerId } from '#libs/domain'
import type {
  ArchivedObject,
  AttemptRef as WireAttemptRef,
  LinkResponse,
  SessionResponse,
  TaskSettled,
} from '#libs/proto'

import type { Effect } from '../core/effect.js'
import type { State, Task } from '../core/state.js'
import { attemptToWire, failureToWire, jobStateOf, outcomeBytes, settledToWire } from '../rpc/to-wire.js'
import type { Peers } from './peers.js'
import { createRunBatch, type RunBatch } from './run-batch.js'
import type { JobWaiters } from './job-waiters.js'
import type { TaskTracer } from './task-tracer.js'

/** The most settles in one message, and the size after which another message begins: it has at most 16 MiB. */
const settlesPerMessage = 1_000
const bytesPerMessage = 4 * 2 ** 20
/** How long a worker that has more to do keeps an end that is recorded, unless something else is said to it. */
const acknowledgementPutOffMs = 500
/** The most names in one message. */
const namesPerMessage = 10_000
/** The most blobs that the checkpoint-store is told of at a time. */
const archivesPerMessage = 1_000

/** Says on the streams what the core decided: one message per peer and kind, however many tasks it is about. */
export function createPerform(
  state: State,
  peers: Peers,
  waiters: JobWaiters,
  tracer: TaskTracer,
): (effects: readonly Effect[]) => void {
  return (effects) => {
    const batch = new Batch(state, tracer)
    for (const effect of effects) batch.add(effect)
    batch.flush(peers, waiters)
  }
}

type Command = NonNullable<LinkResponse['command']>
type Message = NonNullable<SessionResponse['message']>

/** What is said to one worker. */
interface Orders {
  readonly acknowledged: WireAttemptRef[]
  readonly cancelled: Map<string, WireAttemptRef[]>
  readonly recalled: WireAttemptRef[]
  readonly resumed: WireAttemptRef[]
  readonly released: string[]
  readonly unarchived: ArchivedObject[]
  readonly others: Command[]
  readonly runs: RunBatch
}

class Batch {
  readonly #state: State
  readonly #tracer: TaskTracer
  readonly #orders = new Map<WorkerId, Orders>()
  // Sets, because a job's settles may be told twice in a batch: as they come, and to somebody who just began to follow.
  readonly #settles = new Map<SessionId, Map<JobId, Set<Task>>>()
  readonly #messages: [SessionId, Message][] = []
  readonly #jobs = new Map<JobId, Set<SessionId>>()
  /** Jobs whose counts changed: of interest to those who watch or wait. */
  readonly #changed = new Set<JobId>()
  readonly #dismissed: WorkerId[] = []

  constructor(state: State, tracer: TaskTracer) {
    this.#state = state
    this.#tracer = tracer
  }

  add(effect: Effect): void {
    switch (effect.kind) {
      case 'runTask': {
        const { task, attempt, workerId } = effect
        // Settled again within the same batch (cancelled at once): there is nothing to run.
        if (task.status.kind !== 'assigned' || task.status.attempt !== attempt) return
        this.#changed.add(task.job.spec.jobId)
        this.#to(workerId).runs.add(task, attempt, effect.epoch, this.#tracer.traceDispatch(task, workerId))
        return
      }
      case 'acknowledgeEnd':
        this.#to(effect.workerId).acknowledged.push(attemptToWire(effect.attempt))
        return
      case 'cancelAttempt':
        getOrAdd(this.#to(effect.workerId).cancelled, effect.reason, () => []).push(attemptToWire(effect.attempt))
        return
      case 'recallTask':
        this.#to(effect.workerId).recalled.push(attemptToWire(effect.attempt))
        return
      case 'resumeTask':
        this.#to(effect.workerId).resumed.push({ ...attemptToWire(effect.attempt), wait: effect.wait })
        return
      case 'releaseObject':
        this.#to(effect.workerId).released.push(effect.objectId)
        return
      case 'acknowledgeStored':
        this.#to(effect.workerId).others.push({ $case: 'acknowledgeStored', value: { requestId: effect.requestId } })
        return
      case 'drainWorker':
        this.#to(effect.workerId).others.push({ $case: 'drain', value: { reason: effect.reason } })
        return
      case 'handOver':
        this.#to(effect.workerId).others.push({ $case: 'handOver', value: { objectIds: [...effect.objectIds] } })
        return
      case 'releaseArchive': {
        const { objectId, blobDigest } = effect
        this.#to(effect.workerId).unarchived.push({ objectId, blobDigest })
        return
      }
      case 'dismissWorker':
        this.#dismissed.push(effect.workerId)
        return
      case 'notifySettled':
        this.#tracer.traceSettle(effect.task)
        this.#changed.add(effect.task.job.spec.jobId)
        for (const sessionId of effect.to) {
          const jobs = getOrAdd(this.#settles, sessionId, () => new Map<JobId, Set<Task>>())
          getOrAdd(jobs, effect.task.job.spec.jobId, () => new Set()).add(effect.task)
        }
        return
      case 'notifyJob': {
        const to = getOrAdd(this.#jobs, effect.jobId, () => new Set())
        this.#changed.add(effect.jobId)
        for (const sessionId of effect.to) to.add(sessionId)
        return
      }
      case 'notifyLost': {
        const value = { objectIds: [effect.objectId], failure: failureToWire(effect.failure) }
        for (const sessionId of effect.to) this.#messages.push([sessionId, { $case: 'lost', value }])
        return
      }
      case 'notifyArchived': {
        const { objectId, blobDigest } = effect
        const value = { objects: [{ objectId, blobDigest }] }
        const task = parseTaskId(objectId)
        if (task) this.#changed.add(task.jobId)
        for (const sessionId of effect.to) this.#messages.push([sessionId, { $case: 'archived', value }])
        return
      }
      case 'answer':
        // Given by the loop before anything else is performed.
        return
      default:
        effect satisfies never
    }
  }

  flush(peers: Peers, waiters: JobWaiters): void {
    // Clients first: somebody may wait for a result, and nobody for an acknowledgement.
    for (const [sessionId, message] of this.#messages) peers.sessions.get(sessionId)?.push({ message })
    for (const [sessionId, jobs] of this.#settles) {
      for (const [jobId, tasks] of jobs) this.#flushSettles(peers, sessionId, jobId, tasks)
    }
    for (const [workerId, orders] of this.#orders) {
      const link = peers.links.get(workerId)
      // What is not said on a cut link is settled when the worker says what it has.
      if (link === undefined) continue
      const commands = [...commandsOf(orders)]
      // A worker that has no other task may wait for the acknowledgement, in order to leave.
      const isUrgent = commands.some(({ $case }) => $case !== 'acknowledgeEnds') || !this.#hasMore(workerId)
      for (const command of commands) {
        if (isUrgent) link.push({ command })
        else link.putOff({ command }, acknowledgementPutOffMs)
      }
    }
    for (const workerId of this.#dismissed) peers.links.get(workerId)?.end()
    for (const [jobId, to] of this.#jobs) this.#notifyJob(peers, jobId, to)
    for (const jobId of this.#changed) waiters.wake(jobId)
  }

  #hasMore(workerId: WorkerId): boolean {
    const worker = this.#state.workers.get(workerId)
    return worker !== undefined && worker.tasks.size > 0 && !worker.draining
  }

  #flushSettles(peers: Peers, sessionId: SessionId, jobId: JobId, tasks: ReadonlySet<Task>): void {
    const outbox = peers.sessions.get(sessionId)
    if (outbox === undefined) return
    let settled: TaskSettled[] = []
    let byteLength = 0
    const flush = (): void => {
      if (settled.length > 0) outbox.push({ message: { $case: 'settled', value: { jobId, tasks: settled } } })
      settled = []
      byteLength = 0
    }
    for (const task of tasks) {
      const wire = settledToWire(this.#state, task)
      if (wire === undefined) continue
      settled.push(wire)
      byteLength += outcomeBytes(task)
      if (settled.length >= settlesPerMessage || byteLength >= bytesPerMessage) flush()
    }
    flush()
  }

  #notifyJob(peers: Peers, jobId: JobId, to: ReadonlySet<SessionId>): void {
    const job = this.#state.jobs.get(jobId)
    if (job === undefined) return
    const value = { jobId, counts: { ...job.counts }, state: jobStateOf(job) }
    for (const sessionId of to) peers.sessions.get(sessionId)?.push({ message: { $case: 'jobUpdated', value } })
  }

  #to(workerId: WorkerId): Orders {
    return getOrAdd(this.#orders, workerId, () => ({
      acknowledged: [],
      cancelled: new Map<string, WireAttemptRef[]>(),
      recalled: [],
      resumed: [],
      released: [],
      unarchived: [],
      others: [],
      runs: createRunBatch(this.#state),
    }))
  }
}

/** What comes last may build on what comes before: a result is released, then its task is run again. */
function* commandsOf({
  acknowledged,
  cancelled,
  recalled,
  resumed,
  released,
  unarchived,
  others,
  runs,
}: Orders): Generator<Command> {
  for (const attempts of chunksOf(acknowledged)) yield { $case: 'acknowledgeEnds', value: { attempts } }
  for (const [reason, refs] of cancelled) {
    for (const attempts of chunksOf(refs)) yield { $case: 'cancelTasks', value: { attempts, reason } }
  }
  for (const attempts of chunksOf(recalled)) yield { $case: 'recallTasks', value: { attempts } }
  for (const attempts of chunksOf(resumed)) yield { $case: 'resumeTasks', value: { attempts } }
  for (const objectIds of chunksOf(released)) yield { $case: 'releaseObjects', value: { objectIds } }
  for (const objects of chunksOf(unarchived, archivesPerMessage)) yield { $case: 'releaseArchives', value: { objects } }
  yield* others
  for (const value of runs.messages()) yield { $case: 'runTasks', value }
}

function* chunksOf<Item>(items: readonly Item[], length = namesPerMessage): Generator<Item[]> {
  for (let start = 0; start < items.length; start += length) yield items.slice(start, start + length)
}

function getOrAdd<Key, Value>(map: Map<Key, Value>, key: Key, create: () => Value): Value {
  let value = map.get(key)
  if (value === undefined) map.set(key, (value = create()))
  return value
}
