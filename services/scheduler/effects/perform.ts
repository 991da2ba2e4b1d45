import type { JobId, SessionId, WorkerId } from '#libs/domain'
import type { AttemptRef as WireAttemptRef, LinkResponse, SessionResponse, TaskSettled } from '#libs/proto'

import type { Effect } from '../core/effect.js'
import type { AttemptRef } from '../core/event.js'
import type { State, Task } from '../core/state.js'
import { failureToWire, jobStateOf, settledToWire } from '../rpc/to-wire.js'
import type { Peers } from './peers.js'
import { createRunBatch, type RunBatch } from './run-batch.js'
import type { JobWaiters } from './job-waiters.js'
import type { TaskTracer } from './task-tracer.js'

/** The most settles in one message. */
const settlesPerMessage = 1_000

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

class Batch {
  readonly #state: State
  readonly #tracer: TaskTracer
  readonly #runs = new Map<WorkerId, RunBatch>()
  readonly #acknowledged = new Map<WorkerId, WireAttemptRef[]>()
  readonly #commands: [WorkerId, Command][] = []
  readonly #settles = new Map<SessionId, Map<JobId, Task[]>>()
  readonly #messages: [SessionId, Message][] = []
  readonly #jobs = new Set<JobId>()
  readonly #dismissed: WorkerId[] = []

  constructor(state: State, tracer: TaskTracer) {
    this.#state = state
    this.#tracer = tracer
  }

  add(effect: Effect): void {
    switch (effect.kind) {
      case 'runTask': {
        const { task, attempt } = effect
        // Settled again within the same batch (cancelled at once): there is nothing to run.
        if (task.status.kind !== 'assigned' || task.status.attempt !== attempt) return
        const runs = getOrAdd(this.#runs, effect.workerId, () => createRunBatch(this.#state))
        runs.add(task, attempt, effect.epoch, this.#tracer.traceDispatch(task, effect.workerId))
        return
      }
      case 'acknowledgeEnd':
        getOrAdd(this.#acknowledged, effect.workerId, () => []).push(attemptToWire(effect.attempt))
        return
      case 'cancelAttempt':
        this.#command(effect.workerId, {
          $case: 'cancelTasks',
          value: { attempts: [attemptToWire(effect.attempt)], reason: effect.reason },
        })
        return
      case 'releaseObject':
        this.#command(effect.workerId, { $case: 'releaseObjects', value: { objectIds: [effect.objectId] } })
        return
      case 'acknowledgeStored':
        this.#command(effect.workerId, { $case: 'acknowledgeStored', value: { requestId: effect.requestId } })
        return
      case 'drainWorker':
        this.#command(effect.workerId, { $case: 'drain', value: { reason: effect.reason } })
        return
      case 'dismissWorker':
        this.#dismissed.push(effect.workerId)
        return
      case 'notifySettled':
        this.#tracer.traceSettle(effect.task)
        for (const sessionId of effect.to) {
          const jobs = getOrAdd(this.#settles, sessionId, () => new Map<JobId, Task[]>())
          getOrAdd(jobs, effect.task.job.spec.jobId, () => []).push(effect.task)
        }
        return
      case 'notifyJob':
        this.#jobs.add(effect.jobId)
        return
      case 'notifyLost': {
        const value = { objectIds: [effect.objectId], failure: failureToWire(effect.failure) }
        for (const sessionId of effect.to) this.#messages.push([sessionId, { $case: 'lost', value }])
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
    const say = (workerId: WorkerId, command: Command): void => peers.links.get(workerId)?.push({ command })
    for (const [workerId, attempts] of this.#acknowledged) {
      say(workerId, { $case: 'acknowledgeEnds', value: { attempts } })
    }
    for (const [workerId, command] of this.#commands) say(workerId, command)
    for (const [workerId, runs] of this.#runs) {
      for (const value of runs.messages()) say(workerId, { $case: 'runTasks', value })
    }
    for (const workerId of this.#dismissed) peers.links.get(workerId)?.end()
    for (const [sessionId, message] of this.#messages) peers.sessions.get(sessionId)?.push({ message })
    for (const [sessionId, jobs] of this.#settles) {
      for (const [jobId, tasks] of jobs) this.#flushSettles(peers, sessionId, jobId, tasks)
    }
    for (const jobId of this.#jobs) {
      this.#notifyJob(peers, jobId)
      waiters.wake(jobId)
    }
  }

  #flushSettles(peers: Peers, sessionId: SessionId, jobId: JobId, tasks: readonly Task[]): void {
    const outbox = peers.sessions.get(sessionId)
    if (outbox === undefined) return
    for (let start = 0; start < tasks.length; start += settlesPerMessage) {
      const settled: TaskSettled[] = []
      for (const task of tasks.slice(start, start + settlesPerMessage)) {
        const wire = settledToWire(this.#state, task)
        if (wire) settled.push(wire)
      }
      outbox.push({ message: { $case: 'settled', value: { jobId, tasks: settled } } })
    }
  }

  #notifyJob(peers: Peers, jobId: JobId): void {
    const job = this.#state.jobs.get(jobId)
    if (job === undefined) return
    const value = { jobId, counts: { ...job.counts }, state: jobStateOf(job) }
    for (const sessionId of job.followers) {
      peers.sessions.get(sessionId)?.push({ message: { $case: 'jobUpdated', value } })
    }
  }

  #command(workerId: WorkerId, command: Command): void {
    this.#commands.push([workerId, command])
  }
}

function attemptToWire({ jobId, index, epoch, attempt }: AttemptRef): WireAttemptRef {
  return { taskId: `${jobId}/${index}`, epoch: BigInt(epoch), attempt, running: false }
}

function getOrAdd<Key, Value>(map: Map<Key, Value>, key: Key, create: () => Value): Value {
  let value = map.get(key)
  if (value === undefined) map.set(key, (value = create()))
  return value
}
