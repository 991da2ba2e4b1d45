import type { JobId, ObjectId, RetryPolicy, SessionId, WorkerId } from '#libs/domain'

import type { AttemptRef, ListedAttempt, HeldObject } from '../event.js'
import { isOnWorker } from '../slots.js'
import type { Task, Worker } from '../state.js'
import { createMesh, type Mesh, type MeshOptions, type SubmitOptions } from './mesh.js'

/** Picks something by a number that means the same for the same history, so that a failing run can be shrunk. */
export type Pick = (below: number) => number

const pauses = [300, 300, 300, 1_000, 1_000, 2_600, 2_600, 2_600, 6_000, 6_000, 31_000, 61_000]
/** Some are worth a wait for their holder. */
const sizes = [1_000, 4_000_000_000] as const
const sessions = ['s1', 's2'] as SessionId[]
const failures = ['userError', 'bundle', 'workerLost', 'outOfMemory', 'timeout'] as const

/** A mesh to which anything happens, in any order, that a network of workers and clients can bring about. */
export class RandomMesh {
  readonly mesh: Mesh
  readonly #tasks: string[] = []
  readonly #buffers: string[] = []
  readonly #past: { readonly workerId: WorkerId; readonly ref: AttemptRef }[] = []
  readonly #gone: {
    readonly attempts: ListedAttempt[]
    readonly objects: HeldObject[]
    readonly workerId: WorkerId
  }[] = []
  #jobs = 0
  #workers = 0

  constructor(options: MeshOptions = {}) {
    this.mesh = createMesh(
      { maxSettledJobs: 3, maxLosses: 1, maxInlineInputBytes: 40, maxJobRecords: 2, unschedulableMs: 60_000 },
      options,
    )
  }

  /** One thing happens; which, depends on what `pick` says. */
  step(pick: Pick): void {
    const choice = pick(100)
    if (choice < 14) this.#submit(pick)
    else if (choice < 19) this.#joinWorker(pick)
    else if (choice < 50) this.#reportCurrent(pick)
    else if (choice < 57) this.#lead(pick)
    else if (choice < 62) this.#reportStale(pick)
    else if (choice < 78) this.#moveWorker(pick)
    else if (choice < 80) this.#cancel(pick)
    else if (choice < 85) this.#release(pick)
    else if (choice < 89) this.#moveBuffer(pick)
    else if (choice < 92) this.#moveSession(pick)
    else if (choice < 99) this.mesh.pass(pauses[pick(pauses.length)] as number)
    else this.#restart()
  }

  /** Everybody behaves from now on: everything must come to its end. */
  heal(): void {
    for (const session of sessions) this.mesh.open(session)
    this.mesh.join('healthy', { slots: 4, resources: { gpu: 2, licence: 1 } })
    this.#runOut()
  }

  /** Clients go for good: nothing may be left of them. */
  abandon(): void {
    const { mesh } = this
    for (const sessionId of sessions) mesh.close(sessionId)
    mesh.pass(61_000)
    mesh.release(...this.#tasks, ...this.#buffers)
    this.#runOut()
    mesh.pass(1_000)
  }

  #runOut(): void {
    for (let round = 0; round < 200 && this.#open().length > 0; round++) {
      // The end of one may be the end of another: its job may fail with it.
      for (const task of this.#placed()) if (isPlaced(task)) this.#finish(task, 20)
      this.mesh.pass(5_000)
    }
  }

  /** Tasks that are not settled. */
  #open(): Task[] {
    return this.#all().filter(({ status }) => status.kind !== 'settled')
  }

  #all(): Task[] {
    return [...this.mesh.state.jobs.values()].flatMap(({ tasks }) => tasks)
  }

  openTasks(): string[] {
    return this.#open().map(({ job, index }) => `${job.spec.jobId}/${index}`)
  }

  /** A task submits tasks, waits for them, or has what it waited for. */
  #lead(pick: Pick): void {
    const leaders = this.#placed().filter(({ status }) => status.kind !== 'assigned')
    const task = leaders[pick(leaders.length)]
    if (task === undefined) return
    const name = this.#nameOf(task)
    const { status } = task
    const waits = status.kind === 'running' || status.kind === 'awaiting' ? (status.waits ?? 0) : 0
    const choice = pick(6)
    if (choice < 3) this.#submit(pick, name)
    else if (status.kind === 'running') this.mesh.await(name, waits + 1)
    else this.mesh.wake(name, pick(6) === 0 ? waits - 1 : waits)
  }

  #submit(pick: Pick, parent?: string): void {
    const fine = this.#all().filter(({ status }) => status.kind !== 'settled' || status.outcome.kind === 'finished')
    const some = pick(5) > 0 ? fine.map((task) => this.#nameOf(task)) : this.#tasks
    const known = [...some.slice(-8), ...this.#buffers.slice(-2)]
    const job = `job-${++this.#jobs}`
    const own: string[] = []
    const tasks = Array.from({ length: 1 + pick(5) }, (_, index) => {
      const name = `${job}.${index}`
      const inputs = Array.from({ length: pick(4) }, () => {
        const from = pick(3) > 0 && own.length > 0 ? own : known
        return from[pick(from.length)]
      })
      own.push(name)
      return [name, ...inputs.filter((input) => input !== undefined)] as const
    })
    const session = sessions[pick(3)]
    const kind = `kind${pick(2)}`
    this.mesh.submit(tasks, {
      job,
      kind,
      detached: pick(4) === 0,
      failFast: pick(6) === 0,
      ...(parent === undefined ? {} : { parent }),
      ...(session === undefined ? {} : { session }),
      ...(pick(3) === 0 ? { retry: randomRetry(pick) } : {}),
      ...(pick(5) === 0 ? { deadlineMs: pick(20_000) } : {}),
      ...(pick(2) === 0 ? {} : randomNeeds(pick)),
    })
    if (this.mesh.state.jobs.has(job as JobId)) this.#tasks.push(...own)
  }

  #placed(): Task[] {
    return this.#all().filter(isPlaced)
  }

  #reportCurrent(pick: Pick): void {
    const placed = this.#placed()
    const task = placed[pick(placed.length)]
    if (task === undefined) return
    const name = this.#nameOf(task)
    this.#past.push({ workerId: this.#workerOf(task), ref: this.mesh.ref(name) })
    const choice = pick(10)
    if (choice < 2) this.mesh.start(name)
    else if (choice < 3) this.mesh.fail(name, { kind: failures[pick(failures.length)] ?? 'userError' })
    else if (choice < 4) this.mesh.missInputs(name)
    else if (choice < 5) this.#giveBack(this.#workerOf(task), task, name)
    else this.#finish(task, pick(30), pick(3) > 0)
  }

  #joinWorker(pick: Pick): void {
    const resources = { gpu: pick(3), licence: pick(2) }
    this.mesh.join(`w${++this.#workers}`, { slots: pick(4), resources, host: `host${pick(2)}` })
  }

  /** A worker gives back what it was asked for, or leaves. */
  #giveBack(workerId: WorkerId, task: Task, name: string): void {
    const worker = this.mesh.state.workers.get(workerId)
    const recalled = [...(worker?.recalled ?? [])].map((each) => this.#nameOf(each))
    if (recalled.length > 0) this.mesh.giveRecalled(workerId, ...recalled)
    else if (task.status.kind === 'assigned') this.mesh.giveBack(workerId, name)
  }

  #finish(task: Task, inlineBytes: number, large = false): void {
    const runMs = task.job.spec.functions[0]?.taskName === 'kind0' ? 5 : 500
    this.mesh.finish(
      this.#nameOf(task),
      large ? { bytes: sizes[inlineBytes % sizes.length] as number, runMs } : { inlineBytes, runMs },
    )
  }

  #reportStale(pick: Pick): void {
    const report = this.#past[pick(this.#past.length)]
    if (report) this.mesh.reportFinished(report.workerId, report.ref, pick(2) === 0 ? { bytes: 1_000 } : {})
  }

  #moveWorker(pick: Pick): void {
    const workers = [...this.mesh.state.workers.values()]
    const worker = workers[pick(workers.length)]
    const choice = pick(9)
    if (choice === 0) this.#comeBack(pick)
    if (worker === undefined) return
    const { workerId } = worker.profile
    if (choice === 8) this.#handOver(worker, pick)
    else if (choice < 3) this.mesh.cut(workerId)
    else if (choice < 6) this.#rejoin(worker, pick)
    else if (choice < 7) this.#goAway(worker, pick)
    else this.mesh.happen({ kind: 'drainRequested', ...requested(pick), workerId, onlyIfIdle: pick(2) === 0 })
  }

  /** A worker that lost some of what the scheduler thinks it has. */
  #rejoin(worker: Worker, pick: Pick): void {
    const attempts = this.#attemptsOf(worker).filter(() => pick(4) > 0)
    const objects = [...worker.objects].filter(() => pick(4) > 0).map((objectId) => this.mesh.held(objectId))
    this.mesh.join(worker.profile.workerId, { attempts, objects })
  }

  #goAway(worker: Worker, pick: Pick): void {
    const { workerId } = worker.profile
    const attempts = this.#attemptsOf(worker)
    const objects = [...worker.objects].map((objectId) => this.mesh.held(objectId))
    if (pick(2) === 0) this.mesh.leave(workerId)
    else {
      this.#gone.push({ workerId, attempts, objects })
      this.mesh.lose(workerId)
    }
  }

  /** A worker departs, has brought something into the checkpoint-store, or is told to. */
  #handOver({ profile, objects }: Worker, pick: Pick): void {
    const { workerId } = profile
    const objectId = [...objects][pick(objects.size)]
    if (objectId !== undefined && pick(3) === 0) this.mesh.happen({ kind: 'archivesRequested', objectIds: [objectId] })
    else if (objectId === undefined || pick(2) === 0) this.mesh.happen({ kind: 'workerDeparting', workerId })
    else this.mesh.happen({ kind: 'objectsArchived', workerId, objects: [{ objectId, blobDigest: `of ${objectId}` }] })
  }

  /** A worker that was taken for lost was not. */
  #comeBack(pick: Pick): void {
    const back = this.#gone.splice(pick(this.#gone.length), 1)[0]
    if (back && !this.mesh.state.workers.has(back.workerId)) this.mesh.join(back.workerId, back)
  }

  #cancel(pick: Pick): void {
    const open = this.#open()
    const task = open[pick(open.length)]
    if (task === undefined) return
    if (pick(2) === 0) this.mesh.cancelJob(task.job.spec.jobId)
    else this.mesh.cancel(this.#nameOf(task))
  }

  #release(pick: Pick): void {
    const names = [...this.#tasks, ...this.#buffers]
    const name = names[pick(names.length)]
    if (name !== undefined) this.mesh.release(name)
  }

  #moveBuffer(pick: Pick): void {
    const workers = [...this.mesh.state.workers.values()]
    const worker = workers[pick(workers.length)]
    if (worker === undefined) return
    const held = [...worker.objects]
    if (pick(3) === 0 && held.length > 0)
      return this.mesh.drop(worker.profile.workerId, held[pick(held.length)] as string)
    const again = pick(4) === 0 ? this.#buffers.at(-1) : undefined
    const name = again ?? `b${this.#buffers.length}`
    if (again === undefined) this.#buffers.push(name)
    const sessionId = sessions[pick(3)]
    if (sessionId !== undefined && pick(3) === 0) this.mesh.scatterBlob(name, sessionId)
    else this.mesh.scatter(worker.profile.workerId, name, sessionId)
  }

  #moveSession(pick: Pick): void {
    const sessionId = sessions[pick(2)] as SessionId
    const jobs = [...this.mesh.state.jobs.keys()]
    const jobId = jobs[pick(jobs.length)]
    const choice = pick(6)
    if (choice < 2) this.mesh.open(sessionId)
    else if (choice < 4) this.mesh.close(sessionId)
    else if (choice < 5 && jobId) this.mesh.happen({ kind: 'jobFollowed', sessionId, jobId })
    else if (jobId && pick(4) === 0)
      this.mesh.happen({ kind: 'persistRequested', ...requested(pick), jobId, name: `name of ${jobId}` })
  }

  #restart(): void {
    for (const worker of this.mesh.state.workers.values()) {
      const attempts = this.#attemptsOf(worker)
      const objects = [...worker.objects].map((objectId) => this.mesh.held(objectId))
      this.#gone.push({ workerId: worker.profile.workerId, attempts, objects })
    }
    this.mesh.restart()
  }

  #attemptsOf({ tasks, awaiting }: Worker): ListedAttempt[] {
    return [...tasks, ...awaiting].map((task) => {
      const ref = { running: true, behind: [], ...this.mesh.ref(this.#nameOf(task)) }
      const { status } = task
      if (status.kind !== 'awaiting') return ref
      return { ...ref, wait: status.waits, isOver: status.wokenAtMs !== undefined }
    })
  }

  #nameOf({ job, index }: Task): ObjectId {
    return `${job.spec.jobId}/${index}` as ObjectId
  }

  #workerOf({ status }: Task): WorkerId {
    if (!isOnWorker(status)) throw new Error('the task is on no worker')
    return status.workerId
  }
}

function randomNeeds(pick: Pick): Partial<SubmitOptions> {
  const resources = { cpu: 1 + pick(2), gpu: pick(3), licence: pick(2) }
  const on = pick(6) === 0 ? [`w${1 + pick(4)}`] : []
  return { resources, priority: pick(3) - 1, on, ...(pick(6) === 0 ? { host: `host${pick(2)}` } : {}) }
}

/** Requests with few ids: some come twice, some ids come with another request. */
function requested(pick: Pick): { readonly requestId: string; readonly callId: number } {
  return { requestId: `request ${pick(5)}`, callId: 1 }
}

function isPlaced({ status }: Task): boolean {
  return isOnWorker(status)
}

function randomRetry(pick: Pick): RetryPolicy {
  const maxAttempts = { userError: 1 + pick(4), workerLost: 1 + pick(4), timeout: 1 + pick(3) }
  const backoff = { firstDelayMs: pick(3_000), factor: 1 + pick(3), maxDelayMs: 10_000, jitter: pick(2) }
  return { maxAttempts, ...backoff, ...(pick(3) === 0 ? { budget: pick(4) } : {}) }
}
