import type { JobId, ObjectId, RetryPolicy, SessionId } from '#libs/domain'

import type { TaskNeeds } from '../../services/scheduler/core/demand-class.js'
import type { JobSpec } from '../../services/scheduler/core/job-spec.js'
import type { Outcome } from '../../services/scheduler/core/state.js'
import type { Request, Response } from './messages.js'
import type { Surroundings } from './surroundings.js'
import type { Dice } from './dice.js'
import type { ActKind } from './script.js'
import { Stream } from './stream.js'
import { planFamily } from './simulated-family.js'
import { decodeResult, taskIdIn } from './workload.js'

/** A job as its client knows it. */
export interface ClientJob {
  readonly spec: JobSpec
  readonly requestId: string
  acknowledged: boolean
  /** The client asked for a cancel of all or some of it. */
  cancelled: boolean
  readonly outcomes: (Outcome | undefined)[]
  readonly released: Set<ObjectId>
}

/** A client's process: submits until it is acknowledged, follows its jobs again after a cut, gives results up. */
export class SimulatedClient {
  readonly sessionId: SessionId
  readonly jobs = new Map<JobId, ClientJob>()
  isAlive = true
  readonly #around: Surroundings
  readonly name: string
  readonly #buffers: ObjectId[] = []
  #releasedBuffers: ObjectId[] = []
  /** Buffers on their way into the checkpoint-store. */
  readonly #scattering = new Map<ObjectId, string>()
  #session: Stream<Request, Response> | undefined
  #isOpen = false
  #jobCount = 0
  #bufferCount = 0

  /** `inherited` are jobs of a client that is gone: this one takes them up by their ids. */
  constructor(around: Surroundings, name: string, inherited: Iterable<ClientJob> = []) {
    this.#around = around
    this.name = name
    this.sessionId = `session-${name}` as SessionId
    for (const { spec, requestId, cancelled, released } of inherited) {
      const outcomes = spec.tasks.map(() => undefined)
      const isOrphan = cancelled || !spec.detached
      this.jobs.set(spec.jobId, { spec, requestId, acknowledged: true, cancelled: isOrphan, outcomes, released })
    }
    this.#dial()
  }

  /** The process ends without a word. */
  die(): void {
    this.#around.world.tell(`client ${this.name} dies`)
    this.isAlive = false
    this.#session?.cut()
  }

  cutSession(): void {
    this.#around.world.tell(`the session of ${this.name} is cut`)
    this.#session?.cut()
  }

  /** Gives everything up and goes. */
  leave(): void {
    const results = [...this.jobs.values()].flatMap(({ spec }) => spec.tasks.map((_, i) => taskIdIn(spec.jobId, i)))
    this.#say({
      kind: 'release',
      objectIds: [...results, ...this.#buffers, ...this.#releasedBuffers, ...this.#scattering.keys()],
    })
    this.isAlive = false
    this.#session?.end()
  }

  #dial(): void {
    if (!this.isAlive) return
    const { world, scheduler } = this.#around
    const session: Stream<Request, Response> = new Stream(world, {
      heard: (response) => {
        if (this.isAlive && this.#session === session) this.#hear(response)
      },
      closed: () => {
        if (!this.isAlive || this.#session !== session) return
        this.#session = undefined
        this.#isOpen = false
        world.after(world.between(25, 1_500), () => this.#dial())
      },
    })
    this.#session = session
    scheduler.acceptSession(session)
    session.up({ kind: 'hello', sessionId: this.sessionId })
  }

  #say(request: Request): void {
    if (this.#isOpen) this.#session?.up(request)
  }

  #hear(response: Response): void {
    switch (response.kind) {
      case 'welcome':
        this.#isOpen = true
        return this.#catchUp()
      case 'submitted': {
        const job = this.#jobOf(response.requestId)
        if (job) job.acknowledged = true
        return
      }
      case 'refused':
        return this.#forget(response.requestId, response.reason)
      case 'settled': {
        const job = this.jobs.get(response.jobId)
        if (job) this.#hearSettle(job, response.index, response.outcome)
        return
      }
      case 'lost': {
        const slash = response.objectId.lastIndexOf('/')
        const job = this.jobs.get(response.objectId.slice(0, slash) as JobId)
        if (job) job.outcomes[Number(response.objectId.slice(slash + 1))] = undefined
        return
      }
      case 'scattered':
        // It may be said twice.
        if (this.#scattering.delete(response.objectId)) this.#buffers.push(response.objectId)
        return
      default:
        response satisfies never
    }
  }

  /** A result may be lost and computed again; it is never another one. */
  #hearSettle({ spec, outcomes }: ClientJob, index: number, outcome: Outcome): void {
    const known = outcomes[index]
    if (known?.kind === 'finished' && outcome.kind === 'finished') {
      const [first, second] = [decodeResult(known.result), decodeResult(outcome.result)]
      if (first !== second) throw new Error(`${taskIdIn(spec.jobId, index)} was ${first}, then ${second}`)
    }
    outcomes[index] = outcome
  }

  /** After a cut: what was not answered is said again, what may have been missed is asked for. */
  #catchUp(): void {
    for (const { spec, requestId, acknowledged, released } of this.jobs.values()) {
      if (!acknowledged) this.#say({ kind: 'submit', requestId, job: spec })
      else this.#say({ kind: 'follow', jobId: spec.jobId })
      if (released.size > 0) this.#say({ kind: 'release', objectIds: [...released] })
    }
    if (this.#releasedBuffers.length > 0) this.#say({ kind: 'release', objectIds: this.#releasedBuffers })
    for (const [objectId, blobDigest] of this.#scattering) this.#say({ kind: 'scatterBlob', objectId, blobDigest })
  }

  #jobOf(requestId: string): ClientJob | undefined {
    return [...this.jobs.values()].find((job) => job.requestId === requestId)
  }

  /** Only what takes something that was given up can be refused. */
  #forget(requestId: string, reason: string): void {
    const job = this.#jobOf(requestId)
    if (job === undefined) return
    const gone = new Set<string>(this.#releasedBuffers)
    const forgivable = job.spec.tasks.some(({ dependencies }) => dependencies.some((input) => gone.has(input)))
    if (reason !== 'UNKNOWN_INPUT' || !forgivable) throw new Error(`${job.spec.jobId} was refused: ${reason}`)
    this.jobs.delete(job.spec.jobId)
  }

  // What it does by itself --------------------------------------------------------------------------------------------

  act(kind: ActKind, dice: Dice): void {
    if (!this.isAlive) return
    switch (kind) {
      case 'submit':
        return this.#submit(dice)
      case 'cancel':
        return this.#cancel(dice)
      case 'release':
        return this.#release(dice)
      case 'scatter':
        if (dice.chance(0.2)) this.#archive(dice)
        if (dice.chance(0.4)) this.#replicate(dice)
        return this.#scatter(dice)
      case 'cutSession':
        return this.cutSession()
      default:
        kind satisfies never
    }
  }

  #submit(dice: Dice): void {
    const { workload, world } = this.#around
    const jobId = `${this.name}-${++this.#jobCount}` as JobId
    const outside = [...this.jobs.values()]
      .slice(-2)
      .flatMap(({ spec }) => spec.tasks.map((_, i) => taskIdIn(spec.jobId, i)))
    const known = [...outside, ...this.#buffers.slice(-2)]
    const own: ObjectId[] = []
    const kind = dice.between(0, 1)
    const needs = this.#needs(dice)
    const needed = needs ? { needs: 1 } : {}
    // In a chain each takes the one before: what is short is sent ahead along it.
    const isChain = dice.chance(0.4)
    const tasks = Array.from({ length: dice.between(1, isChain ? 24 : 8) }, (_, index) => {
      const inputs = Array.from({ length: dice.between(0, isChain ? 1 : 3) }, () =>
        dice.pick(dice.chance(0.7) ? own : known),
      )
      if (isChain) inputs.push(own.at(-1))
      const dependencies = inputs.filter((input) => input !== undefined)
      const taskId = taskIdIn(jobId, index)
      // Now and then one takes much longer than its kind does, and holds up what was sent ahead behind it.
      const runMs = kind === 0 && !dice.chance(0.05) ? dice.between(1, 8) : dice.between(50, 3_000)
      const flaws = dice.chance(0.1) ? dice.between(1, 3) : 0
      const [fails, exits] = [dice.chance(0.03), dice.chance(0.02)]
      const children = dice.chance(0.15) ? planFamily(workload, dice, jobId, index) : undefined
      const large = dice.chance(0.6)
      workload.addTask(taskId, { inputs: dependencies, runMs, fails, flaws, exits, large, children })
      own.push(taskId)
      return { functionIndex: 0, input: new Uint8Array(1), dependencies, name: '', timeoutMs: undefined, ...needed }
    })
    const spec: JobSpec = {
      jobId,
      name: '',
      functions: [{ bundleDigest: 'bundle', taskName: `kind${kind}` }],
      tasks,
      seed: 0n,
      trace: {},
      detached: dice.chance(0.2),
      ...randomEndings(dice, world.nowMs),
      ...(needs && { needs: [needs] }),
    }
    const requestId = `request of ${jobId}`
    const outcomes = tasks.map(() => undefined)
    this.jobs.set(jobId, { spec, requestId, acknowledged: false, cancelled: false, outcomes, released: new Set() })
    this.#say({ kind: 'submit', requestId, job: spec })
    if (dice.chance(0.1)) this.#say({ kind: 'submit', requestId, job: spec })
  }

  /** Some of what is asked for nobody offers; the last worker to come can do everything. */
  #needs(dice: Dice): TaskNeeds | undefined {
    if (dice.chance(0.6)) return undefined
    const gpu = dice.between(0, 2)
    const licence = dice.between(0, 1)
    const pin = dice.chance(0.05) ? dice.pick([...this.#around.workers.keys()]) : undefined
    const resources = { ...(dice.chance(0.2) ? { cpu: 2 } : {}), gpu, licence }
    return { resources, priority: dice.between(-1, 1), workers: pin ? [pin] : [], host: '' }
  }

  #cancel(dice: Dice): void {
    const open = [...this.jobs.values()].filter(
      ({ acknowledged, outcomes }) => acknowledged && outcomes.includes(undefined),
    )
    const job = dice.pick(open)
    if (job === undefined) return
    job.cancelled = true
    const indices = dice.chance(0.5) ? undefined : job.spec.tasks.flatMap((_, i) => (dice.chance(0.4) ? i : []))
    this.#say({ kind: 'cancel', jobId: job.spec.jobId, indices })
  }

  #release(dice: Dice): void {
    const job = dice.pick([...this.jobs.values()].filter(({ acknowledged }) => acknowledged))
    if (job && dice.chance(0.8)) {
      const objectIds = job.spec.tasks.flatMap((_, i) => (dice.chance(0.5) ? taskIdIn(job.spec.jobId, i) : []))
      for (const objectId of objectIds) job.released.add(objectId)
      return this.#say({ kind: 'release', objectIds })
    }
    const objectIds = this.#buffers.splice(0, 1)
    this.#releasedBuffers = [...this.#releasedBuffers, ...objectIds]
    this.#say({ kind: 'release', objectIds })
  }

  #scatter(dice: Dice): void {
    const { world, workload, workers } = this.#around
    const worker = dice.pick([...workers.values()])
    const objectId = `o-${this.name}-${++this.#bufferCount}` as ObjectId
    const value = workload.addBuffer(objectId)
    if (dice.chance(0.3)) return this.#scatterBlob(objectId, value)
    worker?.stores.put(objectId, value, this.sessionId, () => {
      world.after(dice.between(1, 12), () => this.#buffers.push(objectId))
    })
  }

  /** Into the checkpoint-store, with a request that is repeated until it is answered. */
  #scatterBlob(objectId: ObjectId, value: number): void {
    const { archives, world } = this.#around
    const blobDigest = `${objectId}=${value}`
    if (!world.chance(0.05)) archives.set(blobDigest, value)
    this.#scattering.set(objectId, blobDigest)
    this.#say({ kind: 'scatterBlob', objectId, blobDigest })
  }

  /** Workers get what others hold, as far as they know at that time. */
  #replicate(dice: Dice): void {
    const { workers } = this.#around
    const { spec } = dice.pick([...this.jobs.values()]) ?? {}
    const results = spec?.tasks.map((_, index) => taskIdIn(spec.jobId, index)) ?? []
    const objectId = dice.pick([...results, ...this.#buffers])
    for (const worker of workers.values())
      if (objectId && dice.chance(0.5)) worker.stores.copy(objectId, this.sessionId)
  }

  /** It does not reach who holds results of its own. */
  #archive(dice: Dice): void {
    const { spec } = dice.pick([...this.jobs.values()]) ?? {}
    if (spec) this.#say({ kind: 'archive', objectIds: spec.tasks.map((_, index) => taskIdIn(spec.jobId, index)) })
  }
}

function randomEndings(dice: Dice, nowMs: number): Pick<JobSpec, 'retry' | 'deadlineMs' | 'failFast'> {
  return {
    ...(dice.chance(0.4) ? { retry: randomRetry(dice) } : {}),
    ...(dice.chance(0.15) ? { deadlineMs: nowMs + dice.between(1_000, 60_000) } : {}),
    ...(dice.chance(0.15) ? { failFast: true } : {}),
  }
}

function randomRetry(dice: Dice): RetryPolicy {
  const maxAttempts = { userError: dice.between(1, 5), workerLost: dice.between(1, 5), bundle: dice.between(1, 5) }
  const backoff = { firstDelayMs: dice.between(0, 2_000), factor: 2, maxDelayMs: 10_000, jitter: 0.5 }
  return { maxAttempts, ...backoff, ...(dice.chance(0.3) ? { budget: dice.between(0, 6) } : {}) }
}
