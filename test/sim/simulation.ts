import type { ObjectId, WorkerId } from '#libs/domain'

import { countVolatile } from '../../services/scheduler/core/archives.js'
import type { Job, Task, WorkerEnd } from '../../services/scheduler/core/state.js'
import { checkNothingIsLeft, checkOutcome, checkSteady } from './checks.js'
import { Dice } from './dice.js'
import { clientNames, type Script, type Step, type StrikeKind, writeScript } from './script.js'
import { SimulatedClient } from './simulated-client.js'
import { SimulatedScheduler } from './simulated-scheduler.js'
import { SimulatedWorker } from './simulated-worker.js'
import type { Surroundings } from './surroundings.js'
import { taskIdIn, Workload } from './workload.js'
import { World } from './world.js'

/** A task that is pinned to a sick worker has so many attempts there at most, each with a quarantine before it. */
const mostAttempts = 5
const longestCalmMs = 600_000

/** A mesh in which everything goes wrong for a while, then nothing; all that was promised must come true. */
export class Simulation {
  readonly world: World
  readonly #seed: number
  readonly #stormMs: number
  readonly #around: Surroundings
  readonly #clients: SimulatedClient[]
  #isStormy = true
  #workerCount = 0

  /** Looked at closely, it notes everything, and checks the invariants of the scheduler after every batch, not after some. */
  constructor(seed: number, script: Script = writeScript(seed), look: { notes?: boolean; checkEvery?: number } = {}) {
    this.#seed = seed
    this.#stormMs = script.stormMs
    this.world = new World(seed, look.notes)
    this.#around = {
      world: this.world,
      workload: new Workload(),
      scheduler: new SimulatedScheduler(this.world, look.checkEvery ?? 1),
      workers: new Map<WorkerId, SimulatedWorker>(),
      archives: new Map(),
      isStormy: () => this.#isStormy,
    }
    for (let i = 0; i < script.workers; i++) this.#addWorker()
    this.#clients = clientNames.map((name) => new SimulatedClient(this.#around, name))
    for (const step of script.steps) this.world.after(step.atMs, () => this.#take(step))
  }

  /** @throws what does not hold. */
  run(): void {
    this.world.runFor(this.#stormMs)
    this.world.tell('the storm is over')
    this.#isStormy = false
    this.#calm()
    this.#checkPromises()
    this.#depart()
    this.#around.scheduler.check()
    checkNothingIsLeft(this.#around)
  }

  #addWorker(predecessor?: WorkerEnd, has: { readonly slots?: number; readonly gpu?: number } = {}): void {
    const workerId = `w${++this.#workerCount}` as WorkerId
    const slots = has.slots ?? this.world.between(1, 3)
    const gpu = has.gpu ?? this.world.between(0, 2)
    this.world.tell(`${workerId} starts with ${slots} slots and ${gpu} gpus`)
    new SimulatedWorker(this.#around, workerId, { slots, gpu }, predecessor)
  }

  #take(step: Step): void {
    const dice = new Dice(this.#seed, step.stream)
    if (step.kind === 'strike') return this.#strike(step.strike, dice)
    this.#clients.find(({ name, isAlive }) => isAlive && name.startsWith(step.client))?.act(step.act, dice)
  }

  #strike(kind: StrikeKind, dice: Dice): void {
    const { world } = this
    const { workers, scheduler } = this.#around
    const worker = dice.pick([...workers.values()])
    const living = this.#clients.filter(({ isAlive }) => isAlive)
    switch (kind) {
      case 'cutLink':
        return worker?.cutLink()
      case 'partitionWorker':
        return worker?.partition(
          dice.chance(0.7) ? dice.between(100, 6_000) : dice.between(6_000, 45_000),
          dice.chance(0.5),
        )
      case 'crashWorker':
        worker?.crash()
        return this.#replaceWorker(
          dice.between(200, 3_000),
          worker && dice.chance(0.7) ? { workerId: worker.workerId, exitCode: 1 } : undefined,
        )
      case 'endWorker':
        worker?.drain()
        return this.#replaceWorker(dice.between(200, 3_000))
      case 'drainWorker':
        if (worker === undefined) return
        return scheduler.post({ kind: 'drainRequested', workerId: worker.workerId, onlyIfIdle: dice.chance(0.5) })
      case 'addWorker':
        return this.#addWorker()
      case 'cutSession':
        return dice.pick(living)?.cutSession()
      case 'killClient': {
        const client = dice.pick(living)
        if (client === undefined) return
        client.die()
        if (dice.chance(0.6)) world.after(dice.between(100, 20_000), () => this.#succeed(client))
        return
      }
      case 'crashScheduler':
        if (!scheduler.isUp) return
        scheduler.crash()
        world.after(dice.between(50, 4_000), () => scheduler.start())
        return
      default:
        kind satisfies never
    }
  }

  /** Somebody takes up the jobs of a client that is gone. */
  #succeed(client: SimulatedClient): void {
    const jobs = [...client.jobs.values()].filter(({ acknowledged }) => acknowledged)
    this.world.tell(`${client.name} is started again and takes up ${jobs.length} jobs`)
    this.#clients.push(new SimulatedClient(this.#around, `${client.name}-again`, jobs))
  }

  #replaceWorker(delayMs: number, predecessor?: WorkerEnd): void {
    this.world.after(delayMs, () => this.#addWorker(predecessor))
  }

  /** Nothing goes wrong any more: everything comes to its end. */
  #calm(): void {
    const { world } = this
    const { scheduler } = this.#around
    // It can take whatever is not pinned elsewhere.
    this.#addWorker(undefined, { slots: 3, gpu: 2 })
    // Partitions end, and a client that was killed may still be started again.
    world.runFor(50_000)
    const untilMs = world.nowMs + longestCalmMs + mostAttempts * scheduler.state.policy.maxQuarantineMs
    while (world.nowMs < untilMs && (this.#openTasks().length > 0 || this.#unheard().length > 0)) world.runFor(1_000)
    const open = this.#openTasks().map((task) => `${task.job.spec.jobId}/${task.index} ${task.status.kind}`)
    if (open.length > 0) throw new Error(`never settled: ${open.join(', ')}`)
    const unheard = this.#unheard()
    if (unheard.length > 0) throw new Error(`clients never heard of ${unheard.join(', ')}`)
    // Dead clients were given up, and their attached jobs with them.
    world.runFor(scheduler.state.policy.orphanGraceMs)
  }

  #jobs(): Job[] {
    return [...this.#around.scheduler.state.jobs.values()]
  }

  #openTasks(): Task[] {
    return this.#jobs().flatMap(({ tasks }) => tasks.filter(({ status }) => status.kind !== 'settled'))
  }

  /** What the clients that live were promised and have not got. */
  #unheard(): ObjectId[] {
    return this.#clients.flatMap(({ isAlive, jobs }) =>
      isAlive
        ? [...jobs.values()].flatMap(({ spec, outcomes }) =>
            outcomes.flatMap((outcome, index) => (outcome ? [] : taskIdIn(spec.jobId, index))),
          )
        : [],
    )
  }

  #checkPromises(): void {
    const { scheduler } = this.#around
    checkSteady(this.#around)
    for (const client of this.#clients) {
      for (const { spec, acknowledged, cancelled, outcomes } of client.jobs.values()) {
        const job = scheduler.state.jobs.get(spec.jobId)
        if (job === undefined) {
          if (acknowledged) throw new Error(`${spec.jobId} was acknowledged and is gone`)
          continue
        }
        const mayBeCancelled = cancelled || this.#wasCancelled(job) || (!spec.detached && !this.#isFollowed(job))
        for (const task of job.tasks) {
          checkOutcome(this.#around, task, mayBeCancelled, client.isAlive ? outcomes[task.index] : undefined)
        }
        const volatile = countVolatile(scheduler.state, job)
        if (volatile > 0) throw new Error(`${volatile} large results of ${spec.jobId} are not in the checkpoint-store`)
      }
    }
  }

  /** Whether somebody is left who has the job. */
  #isFollowed({ spec }: Job): boolean {
    return this.#clients.some(({ isAlive, jobs }) => isAlive && jobs.has(spec.jobId))
  }

  /** Whether any of the clients that had the job asked for that. */
  #wasCancelled({ spec }: Job): boolean {
    return this.#clients.some(({ jobs }) => jobs.get(spec.jobId)?.cancelled)
  }

  /** Everybody goes. */
  #depart(): void {
    const { scheduler } = this.#around
    for (const client of this.#clients) if (client.isAlive) client.leave()
    // Nobody is left who could release the results of detached jobs.
    const objectIds = this.#jobs().flatMap(({ spec, tasks }) => tasks.map(({ index }) => taskIdIn(spec.jobId, index)))
    scheduler.post({ kind: 'objectsReleased', objectIds })
    this.world.runFor(scheduler.state.policy.orphanGraceMs + 10_000)
  }
}
