import assert from 'node:assert/strict'

import type { JobId, ObjectId, WorkerId } from '#libs/domain'

import { decide, placeQueued } from '../../../services/scheduler/core/decide.js'
import { createOut, type Effect, type Out } from '../../../services/scheduler/core/effect.js'
import type { AttemptEnd, Event } from '../../../services/scheduler/core/event.js'
import { createQueue } from '../../../services/scheduler/core/queue.js'
import { defaultPolicy } from '../../../services/scheduler/core/policy.js'
import type { TaskSpec } from '../../../services/scheduler/core/job-spec.js'
import { unheardPulse } from '../../../services/scheduler/core/pulse.js'
import { createState, type State } from '../../../services/scheduler/core/state.js'

/** Workers that do nothing but say that they did it, and how many of their reports arrive in one turn of the loop. */
export interface CoreMeshOptions {
  readonly workers: number
  readonly tasks: number
  /** What each task is said to have run. */
  readonly runMs: number
  readonly reportsPerTurn: number
  /** The most tasks in one report. */
  readonly tasksPerReport: number
}

type Untimed<E> = E extends unknown ? Omit<E, 'atMs'> : never

/** What a worker was sent and has not reported, in order. */
interface Backlog {
  readonly workerId: WorkerId
  ends: AttemptEnd[]
  isListed: boolean
}

const slots = 1
const nothing = new Uint8Array()

/** The core of a scheduler in the middle of the loop that drives it: events in, effects out, nothing journaled. */
export class CoreMesh {
  readonly #state: State = createState({ ...defaultPolicy, maxSettledJobs: 0 })
  readonly #options: CoreMeshOptions
  readonly #backlogs = new Map<WorkerId, Backlog>()
  /** Who has something to report, the one who waits longest first. */
  readonly #reporters = createQueue<Backlog>(() => true)
  #jobs = 0
  #nowMs = 1_000_000
  #settled = 0
  #acknowledged = 0

  constructor(options: CoreMeshOptions) {
    this.#options = options
    const joins = Array.from({ length: options.workers }, (_, k): Untimed<Event> => {
      const workerId = `w-${k}` as WorkerId
      this.#backlogs.set(workerId, { workerId, ends: [], isListed: false })
      const profile = {
        workerId,
        host: 'host',
        pid: k,
        slots,
        addresses: ['host:1'],
        memoryLimitBytes: 0,
        executor: 'thread' as const,
      }
      return { kind: 'workerJoined', profile, attempts: [], objects: [], stored: [] }
    })
    this.#turn(joins)
  }

  /** One job from its submit until its last end is acknowledged. */
  runJob(): void {
    const jobId = `j-${++this.#jobs}` as JobId
    this.#settled = this.#acknowledged = 0
    this.#turn([this.#submit(jobId)])
    while (this.#reporters.peek() !== undefined) this.#turn(this.#report())
    assert.equal(this.#settled, this.#options.tasks, 'every task is settled once')
    assert.equal(this.#acknowledged, this.#options.tasks, 'every end is acknowledged once')
  }

  /** Gives the results of the last job up, as its client would; what is measured next starts with empty hands. */
  forgetJob(): void {
    const objectIds = Array.from({ length: this.#options.tasks }, (_, k) => `j-${this.#jobs}/${k}` as ObjectId)
    const heard = [...this.#backlogs.keys()].map((workerId): Untimed<Event> => {
      return { kind: 'workerHeard', workerId, pulse: unheardPulse }
    })
    this.#turn([...heard, { kind: 'objectsReleased', objectIds }, { kind: 'timePassed' }])
    assert.equal(this.#state.jobs.size, 0, 'the job is forgotten')
  }

  #submit(jobId: JobId): Untimed<Event> {
    const spec: TaskSpec = { functionIndex: 0, input: nothing, dependencies: [], name: 'noop', timeoutMs: undefined }
    return {
      kind: 'jobSubmitted',
      requestId: jobId,
      job: {
        jobId,
        name: 'noop',
        functions: [{ bundleDigest: 'bundle', taskName: 'noop' }],
        // A task of its own each, as they come from the wire.
        tasks: Array.from({ length: this.#options.tasks }, () => ({ ...spec })),
        seed: 0n,
        trace: {},
        detached: true,
      },
    }
  }

  /** Those who wait longest say what they started, and that it ended. */
  #report(): Untimed<Event>[] {
    const { reportsPerTurn, tasksPerReport } = this.#options
    const reporters = Array.from({ length: reportsPerTurn }, () => this.#reporters.shift()).filter(
      (backlog) => backlog !== undefined,
    )
    return reporters.flatMap((backlog): Untimed<Event>[] => {
      const { workerId } = backlog
      const ends = backlog.ends.splice(0, tasksPerReport)
      backlog.isListed = backlog.ends.length > 0
      if (backlog.isListed) this.#reporters.push(backlog)
      const attempts = ends.map(({ jobId, index, epoch, attempt, startedAtMs }) => {
        return { jobId, index, epoch, attempt, startedAtMs }
      })
      return [
        { kind: 'tasksStarted', workerId, attempts },
        { kind: 'tasksEnded', workerId, ends },
      ]
    })
  }

  #turn(events: readonly Untimed<Event>[]): void {
    this.#nowMs++
    const out: Out = createOut()
    for (const event of events) decide(this.#state, { ...event, atMs: this.#nowMs }, out)
    placeQueued(this.#state, this.#nowMs, out)
    for (const effect of out.effects) this.#perform(effect)
  }

  #perform(effect: Effect): void {
    if (effect.kind === 'notifySettled') this.#settled++
    else if (effect.kind === 'acknowledgeEnd') this.#acknowledged++
    else if (effect.kind === 'runTask') {
      const { workerId, task, epoch, attempt } = effect
      const backlog = this.#backlogs.get(workerId)
      assert(backlog, 'only workers that joined are sent tasks')
      backlog.ends.push({
        jobId: task.job.spec.jobId,
        index: task.index,
        epoch,
        attempt,
        slot: 0,
        startedAtMs: this.#nowMs,
        endedAtMs: this.#nowMs + this.#options.runMs,
        outcome: { kind: 'finished', result: { kind: 'inline', payload: nothing } },
      })
      if (!backlog.isListed) this.#reporters.push(backlog)
      backlog.isListed = true
    }
  }
}
