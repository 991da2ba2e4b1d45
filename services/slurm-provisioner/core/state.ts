import { type Allocation, allocationIdOf, type EndedAllocation } from './allocation.js'
import { createPool, type Pool, type PoolLimits } from './pool.js'

/** How the provisioner deals with SLURM, whatever the pool. */
export interface Policy {
  /** How often the queue is looked at; submits and cancels happen at most once in that time. */
  readonly pollIntervalMs: number
  /** Waits after refused submits: the first, doubling up to the last. */
  readonly firstBackoffMs: number
  readonly longestBackoffMs: number
  /** A submit that ended unclearly is taken for failed when it is in no listing that was asked for so much later. */
  readonly unclearForMs: number
  /** So many complete listings in a row must lack an allocation before it is taken for gone. */
  readonly mostMisses: number
  /** How long a node is left out on which allocations die before their worker registers. */
  readonly excludeNodeMs: number
  /** How many ended allocations are remembered. */
  readonly historyLength: number
  /** What one scancel names at most. */
  readonly mostCancels: number
  /** An allocation for which scancel did not help is cancelled again after so long. */
  readonly cancelAgainMs: number
}

export const defaultPolicy: Policy = {
  pollIntervalMs: 10_000,
  firstBackoffMs: 10_000,
  longestBackoffMs: 600_000,
  unclearForMs: 10_000,
  mostMisses: 2,
  excludeNodeMs: 3_600_000,
  historyLength: 1_000,
  mostCancels: 100,
  cancelAgainMs: 60_000,
}

/** What became of a call of sbatch. */
export type SubmitStatus =
  /** Called, or about to be. */
  | { readonly kind: 'asked' }
  /** Nobody knows whether SLURM took it: it is looked for by its key, and nothing is submitted for its pool meanwhile. */
  | { readonly kind: 'unclear'; readonly sinceMs: number; readonly message: string; readonly looks: number }
  | { readonly kind: 'accepted'; readonly jobId: string }

/** One call of sbatch whose jobs have not all ended. */
export interface Submission {
  readonly key: string
  readonly pool: string
  readonly atMs: number
  status: SubmitStatus
  readonly isArray: boolean
  readonly openIndices: Set<number>
}

/** What is known of a node on which allocations died early. */
export interface NodeRecord {
  failures: number
  excluded: { readonly untilMs: number; readonly reason: string } | undefined
}

/** Whether SLURM's queue can be seen. */
export interface QueueView {
  /** When the last listing that made sense was asked for; undefined before the first. */
  seenAtMs: number | undefined
  failures: number
  lastError: string | undefined
}

/** Everything that the provisioner knows. Mutated in place by `reconcile`, by nobody else. */
export interface State {
  readonly policy: Policy
  /** In the order in which demand fills them. */
  readonly pools: Map<string, Pool>
  readonly allocations: Map<string, Allocation>
  readonly submissions: Map<string, Submission>
  readonly nodes: Map<string, NodeRecord>
  /** Oldest first. */
  readonly history: EndedAllocation[]
  readonly queue: QueueView
  /** What the scheduler's demand was when it was heard last. */
  demand: { readonly wantedSlots: number; readonly work: Work | undefined } | undefined
  /** Whether the scheduler vouches for it. */
  demandIsCurrent: boolean
  /** Slots of workers that no allocation of ours started. */
  foreignSlots: number
  /** Whether the scheduler's list of workers is current. */
  workersAreCurrent: boolean
  /** SLURM is not told to start or end anything before this time. */
  nextBurstAtMs: number
  /** Makes keys of this process unlike those of any other. */
  readonly token: string
  nextKey: number
  nextEnd: number
  startedAtMs: number
  isStopping: boolean
}

/** Of the wanted slots those of queued tasks whose run times are known, and how long they would keep one slot busy. */
export interface Work {
  readonly slots: number
  readonly totalMs: number
}

/** A provisioner that has not heard or seen anything. `token`: letters and digits that no other process has. */
export function createState(pools: readonly PoolLimits[], token: string, policy: Partial<Policy> = {}): State {
  return {
    policy: { ...defaultPolicy, ...policy },
    pools: new Map(pools.map((limits) => [limits.name, createPool(limits)])),
    allocations: new Map(),
    submissions: new Map(),
    nodes: new Map(),
    history: [],
    queue: { seenAtMs: undefined, failures: 0, lastError: undefined },
    demand: undefined,
    demandIsCurrent: false,
    foreignSlots: 0,
    workersAreCurrent: false,
    nextBurstAtMs: 0,
    token,
    nextKey: 1,
    nextEnd: 1,
    startedAtMs: 0,
    isStopping: false,
  }
}

/** The allocations of a pool that have not ended. */
export function allocationsOf({ allocations }: State, pool: string): Allocation[] {
  return [...allocations.values()].filter((allocation) => allocation.pool === pool)
}

export function findAllocation({ allocations }: State, key: string, index: number): Allocation | undefined {
  return allocations.get(allocationIdOf(key, index))
}

/** Whether SLURM's queue was seen lately enough to act on it. */
export function seesQueue({ queue }: State): boolean {
  return queue.seenAtMs !== undefined && queue.failures === 0
}

/** Nodes that jobs must not get now. */
export function excludedNodes({ nodes }: State): string[] {
  return [...nodes].filter(([, { excluded }]) => excluded !== undefined).map(([node]) => node)
}
