import type { ObjectId, WorkerId } from '#libs/domain'

import type { Job, Task, WorkerEnd } from '../../services/scheduler/core/state.js'
import { checkFacts, checkNothingIsLeft, checkOutcome, checkSteady } from './checks.js'
import { SimulatedClient } from './simulated-client.js'
import { SimulatedScheduler } from './simulated-scheduler.js'
import { SimulatedWorker, type Surroundings } from './simulated-worker.js'
import { taskIdIn, Workload } from './workload.js'
import { World } from './world.js'

const stormMs = 40_000
const longestCalmMs = 600_000
const clientNames = ['ann', 'bob', 'cy'] as const

/** A mesh in which everything goes wrong for a while, then nothing; all that was promised must come true. */
export class Simulation {
  readonly world: World
  readonly #around: Surroundings
  readonly #clients: SimulatedClient[]
  #isStormy = true
  #workerCount = 0

  constructor(seed: number) {
    this.world = new World(seed)
    this.#around = {
      world: this.world,
      workload: new Workload(),
      scheduler: new SimulatedScheduler(this.world),
      workers: new Map<WorkerId, SimulatedWorker>(),
      isStormy: () => this.#isStormy,
    }
    for (let i = 0; i < this.world.between(1, 4); i++) this.#addWorker()
    this.#clients = clientNames.map((name) => new SimulatedClient(this.#around, name))
  }

  /** @throws what does not hold. */
  run(): void {
    this.#storm(this.world.chance(0.4))
    this.world.runFor(stormMs)
    this.world.tell('the storm is over')
    this.#isStormy = false
    this.#calm()
    this.#checkPromises()
    this.#depart()
    checkNothingIsLeft(this.#around)
  }

  #addWorker(predecessor?: WorkerEnd): void {
    const workerId = `w${++this.#workerCount}` as WorkerId
    const slots = this.world.between(1, 3)
    this.world.tell(`${workerId} starts with ${slots} slots`)
    new SimulatedWorker(this.#around, workerId, slots, predecessor)
  }

  #storm(schedulerCrashes: boolean): void {
    this.world.after(this.world.between(100, 2_500), () => {
      if (!this.#isStormy) return
      this.#strike(schedulerCrashes)
      this.#storm(schedulerCrashes)
    })
  }

  #strike(schedulerCrashes: boolean): void {
    const { world } = this
    const { workers, scheduler } = this.#around
    const worker = world.pick([...workers.values()])
    const choice = world.between(0, 99)
    if (choice < 40) worker?.cutLink()
    else if (choice < 60) {
      worker?.crash()
      this.#replaceWorker(worker && world.chance(0.7) ? { workerId: worker.workerId, exitCode: 1 } : undefined)
    } else if (choice < 68) {
      worker?.drain()
      this.#replaceWorker()
    } else if (choice < 74 && worker) {
      scheduler.post({ kind: 'drainRequested', workerId: worker.workerId, onlyIfIdle: world.chance(0.5) })
    } else if (choice < 80) this.#addWorker()
    else if (choice < 95) world.pick(this.#clients.filter(({ isAlive }) => isAlive))?.cutSession()
    else if (choice < 97 && this.#clients.every(({ isAlive }) => isAlive)) world.pick(this.#clients)?.die()
    else if (schedulerCrashes && scheduler.isUp) {
      scheduler.crash()
      world.after(world.between(50, 4_000), () => scheduler.start())
    }
  }

  #replaceWorker(predecessor?: WorkerEnd): void {
    this.world.after(this.world.between(200, 3_000), () => this.#addWorker(predecessor))
  }

  /** Nothing goes wrong any more: everything comes to its end. */
  #calm(): void {
    const { world } = this
    const { scheduler } = this.#around
    this.#addWorker()
    world.runFor(10_000)
    const untilMs = world.nowMs + longestCalmMs
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
    checkFacts(scheduler.facts)
    checkSteady(this.#around)
    for (const client of this.#clients) {
      for (const { spec, acknowledged, cancelled, outcomes } of client.jobs.values()) {
        const job = scheduler.state.jobs.get(spec.jobId)
        if (job === undefined) {
          if (acknowledged) throw new Error(`${spec.jobId} was acknowledged and is gone`)
          continue
        }
        const mayBeCancelled = cancelled || (!client.isAlive && !spec.detached)
        for (const task of job.tasks) {
          checkOutcome(this.#around, task, mayBeCancelled, client.isAlive ? outcomes[task.index] : undefined)
        }
      }
    }
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
