import type { ObjectId, SessionId, WorkerId } from '#libs/domain'

import { apply } from '../../services/scheduler/core/apply.js'
import { decide, placeQueued } from '../../services/scheduler/core/decide.js'
import { byFlush, createOut, type Effect } from '../../services/scheduler/core/effect.js'
import type { Event } from '../../services/scheduler/core/event.js'
import type { Fact } from '../../services/scheduler/core/fact.js'
import { checkInvariants } from '../../services/scheduler/core/invariants.js'
import { findObject, isScattered } from '../../services/scheduler/core/lookup.js'
import { startResync } from '../../services/scheduler/core/resync.js'
import { defaultPolicy, type Policy } from '../../services/scheduler/core/policy.js'
import { unheardPulse } from '../../services/scheduler/core/pulse.js'
import { createState, type State, type Task } from '../../services/scheduler/core/state.js'
import { isUrgent } from '../../services/scheduler/core/urgency.js'
import {
  type Command,
  describeMessage,
  type Order,
  type OrderedInput,
  type Report,
  type Request,
  type Response,
} from './messages.js'
import { HolderWaitCheck } from './holder-wait-check.js'
import { placedAttemptOf } from './order-translation.js'
import { SimulatedJournal } from './simulated-journal.js'
import type { Stream, StreamEnd } from './stream.js'
import { bytesOf, sizeOf } from './workload.js'
import type { World } from './world.js'

type Untimed<E> = E extends unknown ? Omit<E, 'atMs'> : never
type Link = Stream<Report, Command>
type Session = Stream<Request, Response>

const tickMs = 250
/** What nobody can take is given up before the simulation ends. */
const usualPolicy = { ...defaultPolicy, unschedulableMs: 60_000 }

/** The real core with a loop and a rim in virtual time: batches, flushes that take time, streams, crashes. */
export class SimulatedScheduler {
  /** All that a crash leaves. */
  readonly journal = new SimulatedJournal()
  state: State
  readonly #policy: Policy
  readonly #world: World
  readonly #checkEvery: number
  readonly #links = new Map<WorkerId, Link>()
  readonly #sessions = new Map<SessionId, Session>()
  readonly #streams = new Set<Link | Session>()
  readonly #calls = new Map<number, (effect: Extract<Effect, { kind: 'answer' }>) => void>()
  #inbox: Event[] = []
  #unwritten: Fact[] = []
  #busy = false
  #callCount = 0
  readonly #holderWaits = new HolderWaitCheck()
  #uncheckedBatches = 0
  /** What an earlier life of the process began is not done by a later one; between two lives there is none. */
  #life = 0
  #isUp = false

  /** The invariants are checked after so many batches of events. */
  constructor(world: World, checkEvery: number) {
    this.#world = world
    this.#policy = { ...usualPolicy, durableResultBytes: world.chance(0.2) ? 500 : Infinity }
    this.state = createState(this.#policy)
    this.#checkEvery = checkEvery
    this.start()
  }

  start(): void {
    const life = ++this.#life
    this.#isUp = true
    this.state = createState(this.#policy)
    for (const fact of this.journal.replay()) apply(this.state, fact)
    const raised: Fact = { kind: 'epochRaised', epoch: this.state.epoch + 1 }
    apply(this.state, raised)
    const out = createOut()
    startResync(this.state, this.#world.nowMs, out)
    this.journal.append([raised, ...out.facts])
    this.check()
    this.#world.tell(`the scheduler starts with epoch ${this.state.epoch}`)
    this.#tick(life)
  }

  /** @throws what does not hold in its state. */
  check(): void {
    this.#uncheckedBatches = 0
    checkInvariants(this.state)
    this.#holderWaits.check(this.state, this.#world.nowMs)
  }

  crash(): void {
    this.check()
    this.#world.tell('the scheduler crashes')
    this.#isUp = false
    this.#life++
    this.#inbox = []
    this.#unwritten = []
    this.#busy = false
    this.#calls.clear()
    for (const stream of this.#streams) stream.cut()
    this.#streams.clear()
    this.#links.clear()
    this.#sessions.clear()
  }

  get isUp(): boolean {
    return this.#isUp
  }

  post(event: Untimed<Event>): void {
    if (!this.#isUp) return
    this.#inbox.push({ ...event, atMs: this.#world.nowMs })
    if (this.#busy) return
    this.#busy = true
    this.#later(this.#world.between(0, 2), () => this.#work())
  }

  /** A worker dialled. */
  acceptLink(link: Link): void {
    if (!this.#isUp) return link.cut()
    this.#streams.add(link)
    link.accept(this.#linkEnd(link, this.#life))
  }

  /** A client dialled. */
  acceptSession(session: Session): void {
    if (!this.#isUp) return session.cut()
    this.#streams.add(session)
    session.accept(this.#sessionEnd(session, this.#life))
  }

  #linkEnd(link: Link, life: number): StreamEnd<Report> {
    let workerId: WorkerId | undefined
    let left = false
    return {
      heard: (report) => {
        if (life !== this.#life) return
        if (report.kind !== 'heartbeat')
          this.#world.note(() => `${workerId ?? 'a worker'} says ${describeMessage(report)}`)
        if (report.kind === 'hello') {
          const { kind: _, ...joined } = report
          const { profile } = joined
          workerId = profile.workerId
          this.#links.get(workerId)?.end()
          this.#links.set(workerId, link)
          link.down({ kind: 'welcome' })
          this.post({ kind: 'workerJoined', ...joined })
        } else if (report.kind === 'goodbye') left = true
        else if (workerId) this.#take(workerId, report)
      },
      closed: () => {
        this.#streams.delete(link)
        if (life !== this.#life || workerId === undefined || this.#links.get(workerId) !== link) return
        this.#links.delete(workerId)
        this.post({ kind: left ? 'workerLeft' : 'workerUnlinked', workerId })
      },
    }
  }

  #take(workerId: WorkerId, report: Exclude<Report, { kind: 'hello' | 'goodbye' }>): void {
    switch (report.kind) {
      case 'heartbeat':
        return this.post({ kind: 'workerHeard', workerId, pulse: unheardPulse })
      case 'started':
        return this.post({
          kind: 'tasksStarted',
          workerId,
          attempts: [{ ...report.attempt, startedAtMs: this.#world.nowMs }],
        })
      case 'waits':
        return this.post({ kind: 'tasksWaited', workerId, waits: [report.wait] })
      case 'ended':
        return this.post({ kind: 'tasksEnded', workerId, ends: [report.end] })
      case 'returned':
        return this.post({ kind: 'tasksReturned', workerId, attempts: [report.attempt], recalled: report.recalled })
      case 'stored': {
        const { requestId, sessionId, objects } = report
        return this.post({ kind: 'objectsStored', workerId, requestId, sessionId, objects })
      }
      case 'departing':
        return this.post({ kind: 'workerDeparting', workerId })
      case 'archived':
        return this.post({ kind: 'objectsArchived', workerId, objects: [report.object] })
      default:
        return report satisfies never
    }
  }

  #sessionEnd(session: Session, life: number): StreamEnd<Request> {
    let sessionId: SessionId | undefined
    return {
      heard: (request) => {
        if (life !== this.#life) return
        if (request.kind === 'hello') {
          sessionId = request.sessionId
          this.#sessions.get(sessionId)?.end()
          this.#sessions.set(sessionId, session)
          session.down({ kind: 'welcome' })
          this.post({ kind: 'sessionOpened', sessionId })
        } else if (sessionId) this.#serve(sessionId, session, request)
      },
      closed: () => {
        this.#streams.delete(session)
        if (life !== this.#life || sessionId === undefined || this.#sessions.get(sessionId) !== session) return
        this.#sessions.delete(sessionId)
        this.post({ kind: 'sessionClosed', sessionId })
      },
    }
  }

  #serve(sessionId: SessionId, session: Session, request: Exclude<Request, { kind: 'hello' }>): void {
    switch (request.kind) {
      case 'submit': {
        const { requestId, job, parent } = request
        const callId = this.#call(({ refusal, jobId = job.jobId }) => {
          if (refusal) session.down({ kind: 'refused', requestId, reason: refusal.reason })
          else session.down({ kind: 'submitted', requestId, jobId })
        })
        return this.post({ kind: 'jobSubmitted', requestId, sessionId, job, callId, ...(parent && { parent }) })
      }
      case 'cancel': {
        const { jobId, indices } = request
        return this.post({ kind: 'cancelRequested', jobId, reason: 'simulated', ...(indices ? { indices } : {}) })
      }
      case 'release':
        return this.post({ kind: 'objectsReleased', objectIds: request.objectIds })
      case 'follow': {
        const { jobId } = request
        const callId = this.#call(({ refusal }) => {
          if (refusal) session.down({ kind: 'refused', requestId: jobId, reason: refusal.reason })
        })
        return this.post({ kind: 'jobFollowed', sessionId, jobId, callId })
      }
      case 'scatterBlob': {
        const { objectId, blobDigest } = request
        const callId = this.#call(() => session.down({ kind: 'scattered', objectId }))
        const value = Number(blobDigest.slice(objectId.length + 1))
        const objects = [{ objectId, descriptor: bytesOf(value), byteLength: sizeOf(value), blobDigest }]
        return this.post({ kind: 'blobsScattered', sessionId, objects, callId })
      }
      case 'archive':
        return this.post({ kind: 'archivesRequested', objectIds: request.objectIds })
      default:
        return request satisfies never
    }
  }

  #call(answered: (effect: Extract<Effect, { kind: 'answer' }>) => void): number {
    this.#calls.set(++this.#callCount, answered)
    return this.#callCount
  }

  #tick(life: number): void {
    if (life !== this.#life) return
    this.post({ kind: 'timePassed' })
    this.#world.after(tickMs, () => this.#tick(life))
  }

  #later(delayMs: number, act: () => void): void {
    const life = this.#life
    this.#world.after(delayMs, () => {
      if (life === this.#life) act()
    })
  }

  #work(): void {
    const events = this.#inbox
    this.#inbox = []
    const out = createOut()
    for (const event of events) decide(this.state, event, out)
    placeQueued(this.state, this.#world.nowMs, out)
    // Where nothing followed from the passing of time there is nothing new to check.
    if (out.facts.length + out.effects.length > 0 || !events.every(isIdle)) this.#uncheckedBatches++
    if (this.#uncheckedBatches >= this.#checkEvery) this.check()
    for (const fact of out.facts) {
      this.journal.note(fact)
      this.#unwritten.push(fact)
    }
    if (out.effects.length === 0 && !events.some(({ kind }) => kind === 'timePassed')) return this.#goOn()
    const { early, late } = byFlush({ facts: this.#unwritten, effects: out.effects })
    this.#perform(early)
    const flushMs = this.#unwritten.length > 0 ? this.#world.between(0, 8) : 0
    // A crash may come between a dispatch and the flush, and between the flush and what follows from it.
    this.#later(flushMs, () => {
      this.journal.append(this.#unwritten)
      this.#unwritten = []
      this.#later(this.#world.between(0, 1), () => {
        this.#perform(late)
        this.#goOn()
      })
    })
  }

  #goOn(): void {
    if (this.#inbox.length > 0) this.#work()
    else this.#busy = false
  }

  #perform(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.kind !== 'answer') continue
      this.#calls.get(effect.callId)?.(effect)
      this.#calls.delete(effect.callId)
    }
    const runs = new Map<WorkerId, Order[]>()
    const settles: Extract<Effect, { kind: 'notifySettled' }>[] = []
    for (const effect of effects) {
      if (effect.kind === 'runTask') {
        const { task, attempt, epoch, workerId } = effect
        if (task.status.kind !== 'assigned' || task.status.attempt !== attempt) continue
        const orders = runs.get(workerId) ?? []
        runs.set(workerId, orders)
        orders.push(this.#orderOf(task, attempt, epoch))
      } else if (effect.kind === 'notifySettled') settles.push(effect)
      else this.#say(effect)
    }
    for (const { task, to } of settles) {
      const { status, job, index } = task
      if (status.kind !== 'settled') continue
      for (const sessionId of to) {
        const settled = { kind: 'settled', jobId: job.spec.jobId, index, outcome: status.outcome } as const
        this.#sessions.get(sessionId)?.down(settled)
      }
    }
    for (const [workerId, orders] of runs) this.#command(workerId, { kind: 'run', orders })
  }

  #say(effect: Exclude<Effect, { kind: 'runTask' | 'notifySettled' }>): void {
    switch (effect.kind) {
      case 'cancelAttempt':
        return this.#command(effect.workerId, { kind: 'cancel', attempts: [effect.attempt] })
      case 'resumeTask':
        return this.#command(effect.workerId, { kind: 'resume', attempt: effect.attempt, wait: effect.wait })
      case 'recallTask':
        return this.#command(effect.workerId, { kind: 'recall', attempts: [effect.attempt] })
      case 'acknowledgeEnd':
        return this.#command(effect.workerId, { kind: 'acknowledge', attempts: [effect.attempt] })
      case 'releaseObject':
        return this.#command(effect.workerId, { kind: 'release', objectIds: [effect.objectId] })
      case 'acknowledgeStored':
        return this.#command(effect.workerId, { kind: 'acknowledgeStored', requestId: effect.requestId })
      case 'drainWorker':
        return this.#command(effect.workerId, { kind: 'drain' })
      case 'handOver':
        return this.#command(effect.workerId, { kind: 'handOver', objectIds: effect.objectIds })
      case 'releaseArchive':
        return this.#command(effect.workerId, { kind: 'releaseArchive', blobDigest: effect.blobDigest })
      case 'dismissWorker':
        this.#world.tell(`the scheduler takes ${effect.workerId} for lost`)
        return this.#links.get(effect.workerId)?.end()
      case 'notifyLost':
        for (const id of effect.to) this.#sessions.get(id)?.down({ kind: 'lost', objectId: effect.objectId })
        return
      case 'notifyJob':
      case 'notifyArchived':
      case 'answer':
        return
      default:
        effect satisfies never
    }
  }

  /** What is heard twice must count once. */
  #command(workerId: WorkerId, command: Command): void {
    const link = this.#links.get(workerId)
    link?.down(command)
    if (this.#world.chance(0.02)) link?.down(command)
  }

  #orderOf(task: Task, attempt: number, epoch: number): Order {
    const inputs = [...new Set(task.spec.dependencies)].flatMap((objectId) => this.#inputOf(objectId))
    const behind = task.status.kind === 'assigned' ? task.status.behind.map(placedAttemptOf) : []
    const { spec } = task.job
    const { jobId } = spec
    if (this.journal.isSettled(jobId, task.index))
      throw new Error(`${jobId}/${task.index} is settled and ordered again`)
    const taskName = spec.functions[task.spec.functionIndex]?.taskName ?? ''
    const gpus = spec.needs?.[(task.spec.needs ?? 0) - 1]?.resources['gpu'] ?? 0
    return { jobId, index: task.index, attempt, epoch, taskName, gpus, urgent: isUrgent(task), inputs, behind }
  }

  #inputOf(objectId: ObjectId): OrderedInput[] {
    const entity = findObject(this.state, objectId)
    if (entity === undefined) return []
    const holders = [...(entity.holders ?? [])]
    const { archive } = entity
    if (isScattered(entity)) {
      const { descriptor, byteLength } = entity
      return [{ objectId, result: { kind: 'object', descriptor, byteLength }, holders, archive }]
    }
    const { status } = entity
    if (status.kind !== 'settled' || status.outcome.kind === 'failed') return []
    return [{ objectId, result: status.outcome.result, holders, archive }]
  }
}

function isIdle({ kind }: Event): boolean {
  return kind === 'timePassed' || kind === 'workerHeard'
}
