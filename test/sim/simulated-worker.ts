import type { ObjectId, WorkerId } from '#libs/domain'

import type { WorkerEnd } from '../../services/scheduler/core/state.js'
import { decide } from '../../services/worker/core/decide.js'
import { holdReports } from '../../services/worker/core/holding.js'
import type { Effect } from '../../services/worker/core/effect.js'
import type { Event } from '../../services/worker/core/event.js'
import { checkInvariants } from '../../services/worker/core/invariants.js'
import {
  type AttemptEnd,
  type AttemptKey,
  createState,
  type EndOutcome,
  isOrdered,
  isParked,
  keyOf,
  type TaskOrder,
} from '../../services/worker/core/state.js'
import type { UntimedEvent } from '../../services/worker/loop.js'
import { type Command, describeMessage, type OrderedInput, type Report } from './messages.js'
import { heldToScheduler, listedToScheduler, orderToWorker, refToScheduler, refToWorker } from './order-translation.js'
import { thrown, unavailable, unloadable } from './simulated-failures.js'
import { SimulatedDeparture } from './simulated-departure.js'
import { SimulatedFamily } from './simulated-family.js'
import { inputValues } from './simulated-inputs.js'
import { type Run, SimulatedSlots } from './simulated-slots.js'
import { SimulatedStores } from './simulated-stores.js'
import { Stream } from './stream.js'
import type { Surroundings } from './surroundings.js'
import { bytesOf, compute, decodeResult, encodeResult } from './workload.js'

const heartbeatMs = 3_000

/** The real core of a worker with a loop, a link and threads in virtual time. */
export class SimulatedWorker {
  readonly workerId: WorkerId
  readonly state
  readonly objects = new Map<ObjectId, number>()
  /** What was brought for an attempt stays with it until the core drops it. */
  readonly fetched = new Map<AttemptKey, ReadonlyMap<ObjectId, number>>()
  /** What clients put here, or had it get. */
  readonly stores: SimulatedStores
  isAlive = true
  readonly #around: Surroundings
  readonly #predecessor: WorkerEnd | undefined
  readonly #slots: SimulatedSlots
  /** What its tasks submit. */
  readonly #family: SimulatedFamily
  readonly #host: string
  readonly #isSick: boolean
  readonly #resources: Readonly<Record<string, number>>
  /** As a SLURM job has one; it may last longer. */
  readonly #endsAtMs: number | undefined
  readonly #departure: SimulatedDeparture
  #inbox: Event[] = []
  #link: Stream<Report, Command> | undefined
  #isLinked = false
  #partitionedUntilMs = 0

  /** `predecessor` is the crashed worker in whose place this one is started, when somebody saw it. */
  constructor(around: Surroundings, workerId: WorkerId, has: { slots: number; gpu: number }, predecessor?: WorkerEnd) {
    const { slots, gpu } = has
    this.workerId = workerId
    this.state = createState(slots, gpu, around.world.between(1, 6))
    this.#family = new SimulatedFamily(around, workerId, () => this.isAlive)
    this.#resources = { gpu, licence: 1 }
    this.#predecessor = predecessor
    this.#around = around
    this.#slots = new SimulatedSlots(slots, around.world, {
      isAlive: () => this.isAlive,
      begin: (order, made) => this.#begin(order, made),
      valueOf: (outcome) => this.#valueOf(outcome),
      post: (event) => this.#post(event),
    })
    this.#departure = new SimulatedDeparture(around, {
      objects: this.objects,
      report: (report) => this.#report(report),
      later: (delayMs, act) => this.#later(delayMs, act),
      leave: () => this.#leave(),
    })
    this.stores = new SimulatedStores(around, this.#storing())
    this.#endsAtMs = around.world.chance(0.3) ? around.world.nowMs + around.world.between(100, 20_000) : undefined
    this.#host = `host${around.world.between(1, 2)}`
    this.#isSick = around.isStormy() && around.world.chance(0.1)
    around.workers.set(workerId, this)
    this.#dial()
    this.#beat()
  }

  get isPartitioned(): boolean {
    return this.#around.world.nowMs < this.#partitionedUntilMs
  }

  get busySlots(): number {
    return this.#slots.busyCount
  }

  crash(): void {
    this.#around.world.tell(`${this.workerId} crashes`)
    this.#exit()
    this.#link?.cut()
    this.#family.cut()
  }

  cutLink(): void {
    this.#around.world.tell(`the link of ${this.workerId} is cut`)
    this.#link?.cut()
    if (this.#around.world.chance(0.5)) this.#family.cut()
  }

  /** Nothing goes in or out for so long. What was under way arrives after that, unless the link is taken for broken before. */
  partition(forMs: number, isNoticed: boolean): void {
    const { world } = this.#around
    world.tell(`${this.workerId} is cut off for ${forMs} ms${isNoticed ? ', which its link notices' : ''}`)
    this.#partitionedUntilMs = Math.max(this.#partitionedUntilMs, world.nowMs + forMs)
    if (isNoticed) this.#link?.cut()
    else this.#link?.stall(forMs)
  }

  drain(): void {
    this.#around.world.tell(`${this.workerId} is told to end`)
    this.#post({ kind: 'drainOrdered', reason: 'told to stop' })
  }

  /** It changes, and is asked when it matters. */
  #storing() {
    return {
      objects: this.objects,
      now: () => ({ isAlive: this.isAlive, isLinked: this.#isLinked, isPartitioned: this.isPartitioned }),
      isOrdered: (objectId: ObjectId) => isOrdered(this.state, objectId),
      report: (report: Report) => this.#report(report),
      later: (delayMs: number, act: () => void) => this.#later(delayMs, act),
    }
  }

  #exit(): void {
    this.isAlive = false
    this.#isLinked = false
    this.#around.workers.delete(this.workerId)
  }

  #post(event: UntimedEvent): void {
    const { world } = this.#around
    this.#inbox.push({ atMs: world.nowMs, ...event })
    if (this.#inbox.length === 1) this.#later(0, () => this.#work())
  }

  #work(): void {
    const events = this.#inbox
    this.#inbox = []
    const effects: Effect[] = []
    for (const event of events) {
      decide(this.state, event, effects)
      checkInvariants(this.state)
    }
    this.#release(effects)
  }

  #release(effects: readonly Effect[]): void {
    const { world } = this.#around
    for (const effect of holdReports(this.state, effects, world.nowMs)) this.#perform(effect)
    const { held, heldUntilMs } = this.state
    if (held.length === 0) return
    // A batch may come before that, with which they are said.
    this.#later(Math.max(0, heldUntilMs - world.nowMs), () => this.#release([]))
  }

  #perform(effect: Effect): void {
    switch (effect.kind) {
      case 'fetchInputs':
        return this.#fetch(effect.order)
      case 'execute':
        return this.#execute(effect)
      case 'withdrawExecution':
        return this.#slots.withdraw(effect.slot, keyOf(effect.order))
      case 'stopExecution':
        return this.#slots.stop(effect.slot, keyOf(effect.order))
      case 'notifyExecution':
        return // Simulated workers give no notice.
      case 'parkExecution':
        return this.#slots.park(effect.slot, keyOf(effect.order))
      case 'refuseWait':
        this.#around.workload.disappointed.add(effect.order.taskId as string as ObjectId)
        return this.#slots.refuse(effect.slot, keyOf(effect.order))
      case 'resumeExecution':
        return this.#slots.resume(effect.slot, keyOf(effect.order))
      case 'reportWait': {
        const { wait, isOver } = effect
        return this.#report({ kind: 'waits', wait: { ...refToScheduler(effect.ref), wait, isOver } })
      }
      case 'reportStarted':
        return this.#report({ kind: 'started', attempt: refToScheduler(effect.ref) })
      case 'reportEnded':
        return this.#report({ kind: 'ended', end: this.#endToScheduler(effect.end) })
      case 'returnTask':
        return this.#report({ kind: 'returned', attempt: refToScheduler(effect.ref), recalled: effect.recalled })
      case 'dropInputs':
        this.fetched.delete(keyOf(effect.attempt.order))
        return
      case 'leave':
        return this.#departure.begin()
      case 'giveUp':
        return this.#leave()
      default:
        effect satisfies never
    }
  }

  #leave(): void {
    this.#around.world.tell(`${this.workerId} leaves`)
    this.#report({ kind: 'goodbye' })
    this.#link?.end()
    this.#exit()
  }

  #later(delayMs: number, act: () => void): void {
    this.#around.world.after(delayMs, () => {
      if (this.isAlive) act()
    })
  }

  #dial(): void {
    const { world, scheduler } = this.#around
    if (!this.isAlive) return
    if (this.isPartitioned) return this.#later(world.between(25, 1_500), () => this.#dial())
    const link: Stream<Report, Command> = new Stream(world, {
      heard: (command) => {
        if (this.isAlive && this.#link === link) this.#obey(command)
      },
      closed: () => {
        if (!this.isAlive || this.#link !== link) return
        this.#link = undefined
        if (this.#isLinked) this.#post({ kind: 'linkClosed' })
        this.#isLinked = false
        this.#later(world.between(25, 1_500), () => this.#dial())
      },
    })
    this.#link = link
    scheduler.acceptLink(link)
    link.up(this.#hello())
  }

  #hello(): Report {
    const announced = this.stores.repeat()
    const { attempts, unacknowledged, slots } = this.state
    const live = [...attempts.values()].filter(({ cancelled }) => !cancelled)
    return {
      kind: 'hello',
      profile: {
        workerId: this.workerId,
        host: this.#host,
        slots,
        ...{ pid: 1, addresses: ['host:1'], memoryLimitBytes: 0, executor: 'thread' },
        resources: this.#resources,
        ...(this.#endsAtMs === undefined ? {} : { endsAtMs: this.#endsAtMs }),
      },
      attempts: [
        ...[...unacknowledged.values()].map(({ ref, behind }) => listedToScheduler(ref, true, behind)),
        ...live.map(({ order, status }) => ({
          ...listedToScheduler(order, status.kind === 'running', order.behind),
          ...(isParked(status) ? { wait: status.wait, isOver: status.isOver } : {}),
        })),
      ],
      objects: [...this.objects].flatMap(([objectId, value]) =>
        announced.objectIds.has(objectId) ? [] : heldToScheduler(objectId, value),
      ),
      stored: announced.reports,
      ...(this.#predecessor ? { predecessor: this.#predecessor } : {}),
    }
  }

  #beat(): void {
    this.#report({ kind: 'heartbeat' })
    this.#later(heartbeatMs, () => this.#beat())
  }

  /** What is said while there is no link is not said; the next hello makes up for it. */
  #report(report: Report): void {
    if (!this.#isLinked) return
    this.#link?.up(report)
    // What is heard twice must count once.
    const once = report.kind === 'goodbye' || report.kind === 'heartbeat'
    if (!once && this.#around.world.chance(0.05)) this.#link?.up(report)
  }

  #obey(command: Command): void {
    this.#around.world.note(() => `${this.workerId} hears ${describeMessage(command)}`)
    switch (command.kind) {
      case 'welcome':
        this.#isLinked = true
        this.stores.catchUp()
        this.#departure.relinked()
        return this.#post({ kind: 'linkOpened' })
      case 'run': {
        const orders = command.orders.map(orderToWorker)
        this.stores.dropCopies(orders.map(({ taskId }) => taskId))
        return this.#post({ kind: 'tasksOrdered', orders })
      }
      case 'cancel':
        return this.#post({ kind: 'cancelOrdered', refs: command.attempts.map(refToWorker), reason: 'cancelled' })
      case 'resume': {
        const ref = { ...refToWorker(command.attempt), wait: command.wait }
        return this.#post({ kind: 'resumeOrdered', refs: [ref] })
      }
      case 'recall':
        return this.#post({ kind: 'recallOrdered', refs: command.attempts.map(refToWorker) })
      case 'acknowledge':
        return this.#post({ kind: 'endsAcknowledged', refs: command.attempts.map(refToWorker) })
      case 'release':
        return this.stores.release(command.objectIds)
      case 'acknowledgeStored':
        return this.stores.acknowledge(command.requestId)
      case 'handOver':
        return this.#departure.handOver(command.objectIds)
      case 'releaseArchive':
        return void this.#around.archives.delete(command.blobDigest)
      case 'drain':
        return this.#post({ kind: 'drainOrdered', reason: 'asked to drain' })
      default:
        command satisfies never
    }
  }

  #endToScheduler({ ref, outcome, ...times }: AttemptEnd) {
    const { workload } = this.#around
    if (outcome.kind === 'failed') return { ...refToScheduler(ref), outcome, ...times }
    const value = workload.valueOf(ref.taskId as string as ObjectId) ?? 0
    const result = encodeResult(value, outcome.kind === 'object')
    return { ...refToScheduler(ref), outcome: { kind: 'finished' as const, result }, ...times }
  }

  #fetch(order: TaskOrder): void {
    const { world } = this.#around
    const key = keyOf(order)
    const inputs = order.inputs as readonly OrderedInput[]
    const far = inputs.some(({ objectId, result }) => result.kind === 'object' && !this.objects.has(objectId))
    this.#later(far ? world.between(1, 300) : 0, () => {
      const values = inputValues(this, this.#around, inputs)
      if (values === undefined) return this.#post({ kind: 'inputsFailed', key, failure: unavailable })
      // The core may have given the attempt up meanwhile.
      if (this.state.attempts.has(key)) this.fetched.set(key, values)
      this.#post({ kind: 'inputsFetched', key })
    })
  }

  /** What cannot be loaded does not come into a thread. */
  #execute(effect: Extract<Effect, { kind: 'execute' }>): void {
    if (!this.#isSick) return this.#slots.execute(effect)
    const { nowMs } = this.#around.world
    const outcome = { kind: 'failed', failure: unloadable } as const
    this.#post({ kind: 'attemptEnded', key: keyOf(effect.order), outcome, startedAtMs: nowMs, endedAtMs: nowMs })
  }

  /** What a task made that ended here. */
  #valueOf(outcome: EndOutcome): number | undefined {
    if (outcome.kind === 'failed') return undefined
    return outcome.kind === 'payload' ? decodeResult(outcome) : this.objects.get(outcome.objectId)
  }

  /** A task starts in its thread: it has what was fetched for it, and its large result is kept when it ends. */
  #begin(order: TaskOrder, made: ReadonlyMap<ObjectId, number>): Run {
    const { workload } = this.#around
    const objectId = order.taskId as string as ObjectId
    const { inputs, runMs, exits, large, children } = workload.planOf(objectId)
    const fetched = this.fetched.get(keyOf(order))
    const values = inputs.map((input) => fetched?.get(input) ?? made.get(input))
    let brought: readonly number[] | undefined = []
    const lead = children && {
      lead: (done: () => void): void =>
        this.#family.submit(refToScheduler(order), children, (found) => {
          brought = found
          done()
        }),
    }
    return {
      runMs,
      exits,
      ...lead,
      end: () => {
        if (values.includes(undefined)) {
          // What is cancelled and let go of in the turn of its command may begin yet, and fails; nobody hears of that.
          if (this.state.attempts.get(keyOf(order))?.cancelled) return { kind: 'failed', failure: thrown }
          throw new Error(`${keyOf(order)} runs without its inputs`)
        }
        if (workload.throws(objectId)) return { kind: 'failed', failure: thrown }
        if (brought === undefined) {
          workload.disappointed.add(objectId)
          return { kind: 'failed', failure: thrown }
        }
        const value = compute(objectId, [...(values as number[]), ...brought])
        if (!large) return { kind: 'payload', payload: bytesOf(value) }
        this.#around.world.note(() => `${this.workerId} keeps ${keyOf(order)}`)
        this.objects.set(objectId, value)
        return { kind: 'object', objectId }
      },
    }
  }
}
