import type { JobId, ObjectId, SessionId, WorkerId } from '#libs/domain'

import type { AttemptRef } from '../../services/scheduler/core/event.js'
import type { JobSpec } from '../../services/scheduler/core/job-spec.js'
import type { Outcome } from '../../services/scheduler/core/state.js'
import type { Dice } from './dice.js'
import type { Request, Response } from './messages.js'
import type { Surroundings } from './surroundings.js'
import { Stream } from './stream.js'
import { decodeResult, type PlannedJob, taskIdIn, type Workload } from './workload.js'

const deepest = 3
const prefix = 'tasks-of-'

/** Plans the job that a task submits, and those that its tasks submit in turn. */
export function planFamily(
  workload: Workload,
  dice: Dice,
  parentJob: JobId,
  parentIndex: number,
  depth = 1,
): PlannedJob {
  const jobId = `${parentJob}-${parentIndex}x` as JobId
  const taskIds: ObjectId[] = []
  for (let index = 0; index < dice.between(1, 3); index++) {
    const taskId = taskIdIn(jobId, index)
    const input = dice.chance(0.4) ? taskIds.at(-1) : undefined
    const inputs = input === undefined ? [] : [input]
    const leads = depth < deepest && dice.chance(0.3)
    const children = leads ? planFamily(workload, dice, jobId, index, depth + 1) : undefined
    const runMs = dice.between(1, 400)
    const flaws = dice.chance(0.05) ? 1 : 0
    workload.addTask(taskId, { inputs, runMs, fails: false, flaws, exits: false, large: dice.chance(0.5), children })
    taskIds.push(taskId)
  }
  return { jobId, taskIds }
}

export function isWorkerSession(sessionId: SessionId): boolean {
  return sessionId.startsWith(prefix)
}

interface FamilyJob {
  readonly requestId: string
  readonly spec: JobSpec
  readonly parent: AttemptRef
  acknowledged: boolean
  readonly outcomes: (Outcome | undefined)[]
  /** Hears the values of all tasks, or nothing when one of them failed. */
  readonly settled: (values: readonly number[] | undefined) => void
}

/** The session of a worker: what its tasks submit, and what becomes of that. */
export class SimulatedFamily {
  readonly #around: Surroundings
  readonly #sessionId: SessionId
  readonly #isAlive: () => boolean
  readonly #jobs = new Map<JobId, FamilyJob>()
  #session: Stream<Request, Response> | undefined
  #isOpen = false

  constructor(around: Surroundings, workerId: WorkerId, isAlive: () => boolean) {
    this.#around = around
    this.#sessionId = `${prefix}${workerId}` as SessionId
    this.#isAlive = isAlive
  }

  submit(parent: AttemptRef, { jobId, taskIds }: PlannedJob, settled: FamilyJob['settled']): void {
    const { workload } = this.#around
    const tasks = taskIds.map((taskId) => {
      const { inputs } = workload.planOf(taskId)
      return { functionIndex: 0, input: new Uint8Array(1), dependencies: inputs, name: '', timeoutMs: undefined }
    })
    const functions = [{ bundleDigest: 'bundle', taskName: 'child' }]
    const spec: JobSpec = { jobId, name: '', functions, tasks, seed: 0n, trace: {}, detached: false }
    const job = {
      requestId: `ask for ${jobId}`,
      spec,
      parent,
      acknowledged: false,
      outcomes: tasks.map(() => undefined),
    }
    this.#jobs.set(jobId, { ...job, settled })
    if (this.#session === undefined) this.#dial()
    else this.#submit(jobId)
  }

  cut(): void {
    this.#session?.cut()
  }

  #submit(jobId: JobId): void {
    const job = this.#jobs.get(jobId)
    if (!job || !this.#isOpen) return
    const { requestId, spec, parent } = job
    this.#session?.up({ kind: 'submit', requestId, job: spec, parent })
  }

  #dial(): void {
    if (!this.#isAlive()) return
    const { world, scheduler } = this.#around
    const session: Stream<Request, Response> = new Stream(world, {
      heard: (response) => {
        if (this.#isAlive() && this.#session === session) this.#hear(response)
      },
      closed: () => {
        if (this.#session !== session) return
        this.#isOpen = false
        world.after(world.between(25, 1_500), () => this.#dial())
      },
    })
    this.#session = session
    scheduler.acceptSession(session)
    session.up({ kind: 'hello', sessionId: this.#sessionId })
  }

  #hear(response: Response): void {
    switch (response.kind) {
      case 'welcome':
        this.#isOpen = true
        for (const [jobId, { acknowledged }] of this.#jobs) {
          if (acknowledged) this.#session?.up({ kind: 'follow', jobId })
          else this.#submit(jobId)
        }
        return
      case 'submitted': {
        const job = this.#jobs.get(response.jobId)
        if (job) job.acknowledged = true
        return
      }
      case 'refused': {
        // Its attempt is over, or the job was forgotten with it.
        const [jobId, job] =
          [...this.#jobs].find(
            ([id, { requestId }]) => id === response.requestId || requestId === response.requestId,
          ) ?? []
        if (!jobId || !job) return
        if (response.reason !== 'ATTEMPT_OVER' && response.reason !== 'JOB_NOT_FOUND')
          throw new Error(`${jobId} was refused: ${response.reason}`)
        this.#jobs.delete(jobId)
        return job.settled(undefined)
      }
      case 'settled':
        return this.#hearSettle(response.jobId, response.index, response.outcome)
      case 'lost': {
        const slash = response.objectId.lastIndexOf('/')
        const job = this.#jobs.get(response.objectId.slice(0, slash) as JobId)
        if (job) job.outcomes[Number(response.objectId.slice(slash + 1))] = undefined
        return
      }
      case 'scattered':
        return
      default:
        response satisfies never
    }
  }

  #hearSettle(jobId: JobId, index: number, outcome: Outcome): void {
    const job = this.#jobs.get(jobId)
    if (job === undefined) return
    const taskId = taskIdIn(jobId, index)
    if (outcome.kind === 'finished') {
      const [value, expected] = [decodeResult(outcome.result), this.#around.workload.valueOf(taskId)]
      if (value !== expected) throw new Error(`${taskId} is ${value}, not ${expected}`)
    }
    job.outcomes[index] = outcome
    if (job.outcomes.includes(undefined)) return
    this.#jobs.delete(jobId)
    const values = job.outcomes.flatMap((each) => (each?.kind === 'finished' ? decodeResult(each.result) : []))
    job.settled(values.length === job.outcomes.length ? values : undefined)
  }
}
