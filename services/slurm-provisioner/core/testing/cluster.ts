import { apply } from '../apply.js'
import type { Allocation } from '../allocation.js'
import { createOut, type Effect, type EffectOf } from '../effect.js'
import type { Event, QueuedJob, Refusal } from '../event.js'
import type { Fact } from '../fact.js'
import { checkInvariants } from '../invariants.js'
import type { PoolLimits } from '../pool.js'
import { reconcile } from '../reconcile.js'
import { createState, type Policy, type State } from '../state.js'

type Untimed<E> = E extends unknown ? Omit<E, 'atMs'> : never

export const cpu: PoolLimits = {
  name: 'cpu',
  minWorkers: 0,
  maxWorkers: 10,
  slotsPerWorker: 4,
  workersPerAllocation: 1,
  coresPerAllocation: 4,
  walltimeMs: 3_600_000,
  idleTimeoutMs: 60_000,
  maxPending: 100,
  maxJobs: 100,
  array: true,
  registerTimeoutMs: 300_000,
  pendingTimeoutMs: undefined,
  maxFailedSubmits: 3,
  maxNeverRegistered: 3,
  targetDurationMs: 5_000,
  coreHours: undefined,
}

/** A job of the simulated SLURM. */
export interface SimulatedJob extends QueuedJob {
  state: string
  reason: string
  node: string
  restarts: number
  exitCode: number | undefined
  signal: number | undefined
  /** Whether listings show it. */
  isVisible: boolean
}

/** How the simulated sbatch answers. */
export type SubmitAnswer = 'accept' | 'acceptSilently' | 'lose' | 'acceptUnseen' | Refusal

export const refusal: Refusal = {
  kind: 'invalidPartition',
  message: 'Invalid partition name specified',
  advice: 'name a partition that sinfo shows',
  isTransient: false,
}

/** A provisioner's core over a SLURM and a scheduler that exist in memory only. Time moves when a test says so. */
export class TestCluster {
  state: State
  nowMs = 1_000_000
  readonly jobs: SimulatedJob[] = []
  /** Workers at the scheduler. */
  readonly workers = new Map<string, { allocationId: string; restarts: number; tasks: number; isDraining: boolean }>()
  readonly facts: Fact[] = []
  readonly effects: Effect[] = []
  answer: SubmitAnswer = 'accept'
  isQueueVisible = true
  isSchedulerVisible = true
  /** The scheduler takes an interval to drain a worker. */
  drainsLate = false
  private nextJobId = 1
  private readonly lateDrains: string[] = []

  constructor(
    readonly pools: readonly PoolLimits[] = [cpu],
    readonly policy: Partial<Policy> = {},
  ) {
    this.state = createState(pools, 'k', policy)
  }

  feed(event: Untimed<Event>): readonly Effect[] {
    const out = createOut()
    reconcile(this.state, { ...event, atMs: this.nowMs }, out)
    this.facts.push(...out.facts)
    this.effects.push(...out.effects)
    const complaints = checkInvariants(this.state)
    if (complaints.length > 0) throw new Error(complaints.join('\n'))
    for (const effect of out.effects) this.perform(effect)
    return out.effects
  }

  /** What a scheduler with so many wanted slots says. */
  demand(wantedSlots: number, work?: { slots: number; totalMs: number }): readonly Effect[] {
    return this.feed({ kind: 'demandHeard', wantedSlots, ...(work ? { work } : {}) })
  }

  /** One look at queue and scheduler, an interval after the last. */
  poll(afterMs = this.state.policy.pollIntervalMs): readonly Effect[] {
    this.nowMs += afterMs
    const before = this.effects.length
    for (const workerId of this.lateDrains.splice(0)) {
      const worker = this.workers.get(workerId)
      if (worker) worker.isDraining = true
    }
    if (this.isSchedulerVisible) {
      this.feed({
        kind: 'workersListed',
        workers: [...this.workers].map(([workerId, { allocationId, restarts, tasks, isDraining }]) => ({
          ...{ workerId, allocationId, restarts, slots: 4, assignedTasks: tasks, heldObjects: 0, isDraining },
        })),
      })
    } else this.feed({ kind: 'workersUnknown' })
    if (this.isQueueVisible) this.list()
    else this.feed({ kind: 'jobsUnknown', message: 'Socket timed out' })
    return this.effects.slice(before)
  }

  list(isComplete = true): void {
    const jobs = this.jobs.filter(({ isVisible }) => isVisible).map((job) => ({ ...job }))
    this.feed({ kind: 'jobsListed', askedAtMs: this.nowMs, isComplete, jobs })
  }

  /** SLURM starts what waits, on one node each unless told otherwise. */
  start(node?: string): void {
    for (const job of this.jobs) {
      if (job.state !== 'PENDING') continue
      job.state = 'RUNNING'
      job.reason = 'None'
      job.node = node ?? `node${job.jobId.replace('_', 'n')}`
    }
  }

  /** The workers of all that runs reach the scheduler. */
  register(): void {
    for (const { state, key, index, restarts } of this.jobs) {
      const allocationId = `${key}.${index}`
      const isThere = [...this.workers.values()].some(
        (each) => each.allocationId === allocationId && each.restarts === restarts,
      )
      if (state === 'RUNNING' && !isThere) {
        this.workers.set(`w-${allocationId}-${restarts}`, { allocationId, restarts, tasks: 0, isDraining: false })
      }
    }
  }

  /** Submits what is missing, starts and registers it: everything is as it should be. */
  settle(): void {
    this.poll()
    this.start()
    this.register()
    this.poll()
  }

  end(job: SimulatedJob, state: string, details: Partial<SimulatedJob> = {}): void {
    Object.assign(job, { state, reason: 'None' }, details)
    for (const [workerId, worker] of [...this.workers]) {
      if (worker.allocationId === `${job.key}.${job.index}`) this.workers.delete(workerId)
    }
  }

  /** A provisioner that knows nothing but the journal. */
  restart(token = 'r'): void {
    this.state = createState(this.pools, token, this.policy)
    for (const fact of this.facts) apply(this.state, fact)
    this.feed({ kind: 'started' })
  }

  get running(): SimulatedJob[] {
    return this.jobs.filter(({ state }) => state === 'RUNNING')
  }

  get waiting(): SimulatedJob[] {
    return this.jobs.filter(({ state }) => state === 'PENDING')
  }

  get alive(): SimulatedJob[] {
    return [...this.waiting, ...this.running]
  }

  get allocations(): Allocation[] {
    return [...this.state.allocations.values()]
  }

  phases(): string[] {
    return this.allocations.map(({ phase }) => phase.kind)
  }

  endings(): string[] {
    return this.state.history.map(({ ending }) => ending.kind)
  }

  submits(): EffectOf<'submitJobs'>[] {
    return this.effects.filter((effect) => effect.kind === 'submitJobs')
  }

  told(): string[] {
    return this.effects.flatMap((effect) => (effect.kind === 'tell' ? [effect.text] : []))
  }

  private perform(effect: Effect): void {
    switch (effect.kind) {
      case 'submitJobs':
        return this.submit(effect)
      case 'cancelJobs':
        for (const job of this.jobs) {
          if (effect.jobIds.includes(job.jobId) && /PENDING|RUNNING/.test(job.state)) this.end(job, 'CANCELLED')
        }
        return
      case 'drainWorker': {
        const worker = this.workers.get(effect.workerId)
        if (worker === undefined || (effect.onlyIfIdle && worker.tasks > 0)) return
        if (this.drainsLate) {
          this.lateDrains.push(effect.workerId)
          return
        }
        worker.isDraining = true
        this.feed({ kind: 'workerDrains', workerId: effect.workerId })
        return
      }
      case 'tell':
      case 'recordQueueWait':
        return
      default:
        effect satisfies never
    }
  }

  private submit({ key, pool, count }: EffectOf<'submitJobs'>): void {
    const { answer } = this
    if (typeof answer === 'object') {
      this.feed({ kind: 'submitRefused', key, refusal: answer })
      return
    }
    if (answer !== 'lose') {
      const arrayId = String(this.nextJobId)
      this.nextJobId += count
      for (let index = 0; index < count; index++) {
        this.jobs.push({
          ...{
            pool,
            key,
            index,
            jobId: count > 1 ? `${arrayId}_${index}` : arrayId,
            state: 'PENDING',
            reason: 'Priority',
          },
          ...{
            node: '',
            restarts: 0,
            exitCode: 0,
            signal: 0,
            startMs: undefined,
            isVisible: answer !== 'acceptUnseen',
          },
        })
      }
      if (answer !== 'acceptSilently') {
        this.feed({ kind: 'submitAccepted', key, jobId: arrayId })
        return
      }
    }
    this.feed({ kind: 'submitUnclear', key, message: 'Socket timed out on send/recv operation' })
  }
}

/** A cluster on which so many workers run. */
export function runningCluster(workers: number, limits: Partial<PoolLimits> = {}): TestCluster {
  const cluster = new TestCluster([{ ...cpu, ...limits }])
  cluster.feed({ kind: 'started' })
  cluster.demand(workers * 4)
  cluster.poll()
  cluster.settle()
  return cluster
}
