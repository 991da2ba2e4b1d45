import type { ObjectId, SessionId, TaskFailure, WorkerId } from '#libs/domain'

import type { AttemptEnd, AttemptRef, HeldObject } from '../../services/scheduler/core/event.js'
import type { WorkerEnd } from '../../services/scheduler/core/state.js'
import type { Command, Order, Report } from './messages.js'
import { nameOfAttempt, type SimulatedScheduler } from './simulated-scheduler.js'
import { Stream } from './stream.js'
import { bytesOf, compute, decodeResult, encodeResult, taskIdIn, type Workload } from './workload.js'
import type { World } from './world.js'

/** What the workers of a simulation share: the mesh that they are in. */
export interface Surroundings {
  readonly world: World
  readonly workload: Workload
  readonly scheduler: SimulatedScheduler
  readonly workers: Map<WorkerId, SimulatedWorker>
  /** While true things go wrong by themselves. */
  readonly isStormy: () => boolean
}

interface Attempt {
  readonly order: Order
  phase: 'fetching' | 'ready' | 'running'
  cancelled: boolean
}

interface PendingStore {
  readonly requestId: string
  readonly sessionId: SessionId
  readonly objectId: ObjectId
  readonly acknowledged: () => void
  /** On the link that is open now, or in its hello. */
  said: boolean
}

const heartbeatMs = 3_000

/** A worker's process: obeys commands, reports until it is acknowledged, and dials again after a cut. */
export class SimulatedWorker {
  readonly workerId: WorkerId
  readonly objects = new Map<ObjectId, number>()
  readonly attempts = new Map<string, Attempt>()
  readonly unacknowledged = new Map<string, AttemptEnd>()
  readonly pendingStores = new Map<string, PendingStore>()
  isAlive = true
  readonly #slots: number
  readonly #host: string
  /** Nothing can be loaded there. */
  readonly #isSick: boolean
  readonly #around: Surroundings
  readonly #predecessor: WorkerEnd | undefined
  #link: Stream<Report, Command> | undefined
  #isLinked = false
  #isDraining = false

  /** `predecessor` is the crashed worker in whose place this one is started, when somebody saw it. */
  constructor(around: Surroundings, workerId: WorkerId, slots: number, predecessor?: WorkerEnd) {
    this.workerId = workerId
    this.#predecessor = predecessor
    this.#around = around
    this.#slots = slots
    this.#host = `host${around.world.between(1, 2)}`
    this.#isSick = around.isStormy() && around.world.chance(0.1)
    around.workers.set(workerId, this)
    this.#dial()
    this.#beat()
  }

  crash(): void {
    this.#around.world.tell(`${this.workerId} crashes`)
    this.#exit()
    this.#link?.cut()
  }

  cutLink(): void {
    this.#around.world.tell(`the link of ${this.workerId} is cut`)
    this.#link?.cut()
  }

  /** A client puts a buffer here; who waits hears when the scheduler knows of it. */
  put(objectId: ObjectId, value: number, sessionId: SessionId, acknowledged: () => void): void {
    if (!this.isAlive) return
    this.objects.set(objectId, value)
    const pending = { requestId: `stored-${objectId}`, sessionId, objectId, acknowledged, said: false }
    this.pendingStores.set(pending.requestId, pending)
    this.#reportStored(pending)
  }

  #exit(): void {
    this.isAlive = false
    this.#isLinked = false
    this.#around.workers.delete(this.workerId)
  }

  #dial(): void {
    if (!this.isAlive) return
    const link: Stream<Report, Command> = new Stream(this.#around.world, {
      heard: (command) => {
        if (this.isAlive && this.#link === link) this.#obey(command)
      },
      closed: () => {
        if (!this.isAlive || this.#link !== link) return
        this.#link = undefined
        this.#isLinked = false
        this.#around.world.after(this.#around.world.between(25, 1_500), () => this.#dial())
      },
    })
    this.#link = link
    this.#around.scheduler.acceptLink(link)
    link.up(this.#hello())
  }

  #hello(): Report {
    const announced = new Set([...this.pendingStores.values()].map(({ objectId }) => objectId))
    for (const pending of this.pendingStores.values()) pending.said = true
    const live = [...this.attempts.values()].filter(({ cancelled }) => !cancelled)
    return {
      kind: 'hello',
      profile: {
        workerId: this.workerId,
        host: this.#host,
        pid: 1,
        slots: this.#slots,
        addresses: ['host:1'],
        memoryLimitBytes: 0,
        executor: 'thread',
      },
      attempts: [
        ...live.map(({ order, phase }) => ({ ...refOf(order), running: phase === 'running' })),
        ...[...this.unacknowledged.values()].map((end) => ({ ...refOf(end), running: true })),
      ],
      objects: [...this.objects].flatMap(([objectId, value]) => (announced.has(objectId) ? [] : held(objectId, value))),
      stored: [...this.pendingStores.values()].flatMap((pending) => this.#reportOf(pending) ?? []),
      ...(this.#predecessor ? { predecessor: this.#predecessor } : {}),
    }
  }

  #beat(): void {
    if (!this.isAlive) return
    this.#report({ kind: 'heartbeat' })
    this.#around.world.after(heartbeatMs, () => this.#beat())
  }

  /** What is said while there is no link is not said; the next hello makes up for it. */
  #report(report: Report): void {
    if (this.#isLinked) this.#link?.up(report)
  }

  #reportStored(pending: PendingStore): void {
    const report = this.#reportOf(pending)
    if (!report || !this.#isLinked) return
    pending.said = true
    this.#report({ kind: 'stored', ...report })
  }

  #reportOf({ requestId, sessionId, objectId }: PendingStore) {
    const value = this.objects.get(objectId)
    return value === undefined ? undefined : { requestId, sessionId, objects: held(objectId, value) }
  }

  #obey(command: Command): void {
    switch (command.kind) {
      case 'welcome':
        this.#isLinked = true
        for (const end of this.unacknowledged.values()) this.#report({ kind: 'ended', end })
        for (const pending of this.pendingStores.values()) if (!pending.said) this.#reportStored(pending)
        return
      case 'run':
        for (const order of command.orders) this.#take(order)
        return
      case 'cancel':
        for (const ref of command.attempts) this.#cancel(ref)
        return this.#leaveWhenDone()
      case 'acknowledge':
        for (const ref of command.attempts) this.unacknowledged.delete(nameOfAttempt(ref))
        return this.#leaveWhenDone()
      case 'release':
        for (const objectId of command.objectIds) this.objects.delete(objectId)
        return
      case 'acknowledgeStored':
        this.pendingStores.get(command.requestId)?.acknowledged()
        this.pendingStores.delete(command.requestId)
        return
      case 'drain':
        return this.drain()
      default:
        command satisfies never
    }
  }

  drain(): void {
    this.#isDraining = true
    for (const [key, { order, phase }] of this.attempts) {
      if (phase === 'running') continue
      this.attempts.delete(key)
      this.#report({ kind: 'returned', attempt: refOf(order) })
    }
    this.#leaveWhenDone()
  }

  #leaveWhenDone(): void {
    if (!this.#isDraining || !this.isAlive || this.attempts.size > 0 || this.unacknowledged.size > 0) return
    this.#around.world.tell(`${this.workerId} leaves`)
    this.#report({ kind: 'goodbye' })
    this.#link?.end()
    this.#exit()
  }

  #take(order: Order): void {
    const key = nameOfAttempt(order)
    if (this.attempts.has(key) || this.unacknowledged.has(key)) return
    if (this.#isDraining) return this.#report({ kind: 'returned', attempt: refOf(order) })
    this.attempts.set(key, { order, phase: 'fetching', cancelled: false })
    this.#fetch(key, order)
  }

  #fetch(key: string, order: Order): void {
    const { world } = this.#around
    const far = order.inputs.some(({ objectId, result }) => result.kind === 'object' && !this.objects.has(objectId))
    this.#later(far ? world.between(1, 300) : 0, () => {
      const attempt = this.attempts.get(key)
      if (attempt === undefined) return
      const values = this.#inputValues(order)
      if (values === undefined) return this.#end(key, attempt, { kind: 'failed', failure: unavailable }, world.nowMs)
      attempt.phase = 'ready'
      this.#fill()
    })
  }

  /** The inputs' values, or nothing when one of them cannot be had from any that held it. */
  #inputValues(order: Order): number[] | undefined {
    const { world, workload, workers, isStormy } = this.#around
    const values = new Map<ObjectId, number>()
    for (const { objectId, result, holders } of order.inputs) {
      if (result.kind === 'inline') {
        values.set(objectId, decodeResult(result))
        continue
      }
      const from = [this.workerId, ...holders].map((id) => workers.get(id)?.objects.get(objectId))
      const value = from.find((found) => found !== undefined)
      if (value === undefined || (isStormy() && world.chance(0.03))) return undefined
      values.set(objectId, value)
    }
    const wanted = workload.planOf(taskIdIn(order.jobId, order.index)).inputs.map((objectId) => values.get(objectId))
    return wanted.includes(undefined) ? undefined : (wanted as number[])
  }

  #fill(): void {
    let free = this.#slots
    for (const { phase } of this.attempts.values()) if (phase === 'running') free--
    for (const [key, attempt] of this.attempts) {
      if (free <= 0) return
      if (attempt.phase !== 'ready') continue
      free--
      this.#run(key, attempt)
    }
  }

  #run(key: string, attempt: Attempt): void {
    const { world, workload } = this.#around
    const { order } = attempt
    const plan = workload.planOf(taskIdIn(order.jobId, order.index))
    const startedAtMs = world.nowMs
    // Taken now: what was fetched stays with the attempt.
    const values = this.#inputValues(order) ?? []
    if (this.#isSick) return this.#end(key, attempt, { kind: 'failed', failure: unloadable }, startedAtMs)
    attempt.phase = 'running'
    this.#report({ kind: 'started', attempt: refOf(order) })
    this.#later(plan.runMs, () => {
      if (this.attempts.get(key) !== attempt) return
      if (values.length !== plan.inputs.length) {
        this.#end(key, attempt, { kind: 'failed', failure: unavailable }, startedAtMs)
      } else if (workload.throws(plan.taskId)) this.#end(key, attempt, { kind: 'failed', failure: thrown }, startedAtMs)
      else {
        const value = compute(plan.taskId, values)
        if (plan.large && !attempt.cancelled) this.objects.set(plan.taskId, value)
        this.#end(key, attempt, { kind: 'finished', result: encodeResult(value, plan.large) }, startedAtMs)
      }
    })
  }

  #end(key: string, attempt: Attempt, outcome: AttemptEnd['outcome'], startedAtMs: number): void {
    const { world } = this.#around
    this.attempts.delete(key)
    if (!attempt.cancelled) {
      const end = { ...refOf(attempt.order), outcome, startedAtMs, endedAtMs: world.nowMs, slot: 0 }
      this.unacknowledged.set(key, end)
      this.#report({ kind: 'ended', end })
      if (world.chance(0.1)) this.#report({ kind: 'ended', end })
    }
    this.#fill()
    this.#leaveWhenDone()
  }

  #cancel(ref: AttemptRef): void {
    const key = nameOfAttempt(ref)
    this.unacknowledged.delete(key)
    const attempt = this.attempts.get(key)
    if (attempt === undefined) return
    attempt.cancelled = true
    // What runs takes its time to stop; its slot is free only then.
    if (attempt.phase !== 'running') this.attempts.delete(key)
  }

  #later(delayMs: number, act: () => void): void {
    this.#around.world.after(delayMs, () => {
      if (this.isAlive) act()
    })
  }
}

const unavailable: TaskFailure = { kind: 'input', reason: 'INPUT_UNAVAILABLE', message: 'no holder has it' }
const unloadable: TaskFailure = { kind: 'bundle', reason: 'MODULE_NOT_LOADED', message: 'the disk is full' }
const thrown: TaskFailure = { kind: 'userError', reason: 'TASK_THREW', message: 'as planned' }

function refOf({ jobId, index, epoch, attempt }: AttemptRef): AttemptRef {
  return { jobId, index, epoch, attempt }
}

function held(objectId: ObjectId, value: number): HeldObject[] {
  return [{ objectId, descriptor: bytesOf(value), byteLength: 1_000 }]
}
