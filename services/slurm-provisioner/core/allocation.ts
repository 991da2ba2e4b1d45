/** A worker that the scheduler knows as part of an allocation. */
export interface AllocationWorker {
  readonly workerId: string
  readonly slots: number
  readonly assignedTasks: number
  readonly heldObjects: number
  readonly isDraining: boolean
}

/** How an allocation lives; each variant owns its data. What has ended is in the history. */
export type Phase =
  /** sbatch was called, or accepted it, and the queue has not shown it yet. */
  | { readonly kind: 'submitted' }
  | { readonly kind: 'pending'; readonly reason: string; readonly sinceMs: number }
  | { readonly kind: 'running'; readonly node: string; readonly sinceMs: number }
  | {
      readonly kind: 'registered'
      readonly node: string
      readonly sinceMs: number
      readonly workers: readonly AllocationWorker[]
    }
  /** Leaving: its workers drain, or SLURM is ending it. */
  | {
      readonly kind: 'draining'
      readonly node: string
      readonly sinceMs: number
      readonly workers: readonly AllocationWorker[]
      readonly reason: string
    }

/** That an allocation is to go by scancel, and since when it was told so. */
export interface Cancel {
  readonly reason: CancelReason
  readonly text: string
  /** When scancel was called last; undefined before. */
  toldAtMs: number | undefined
}

export type CancelReason =
  'notNeeded' | 'neverRegistered' | 'neverStarted' | 'hopeless' | 'orphan' | 'operator' | 'stopping'

/** One SLURM job, or one task of an array job. */
export interface Allocation {
  /** The submit's key, a dot, the index in the array. */
  readonly id: string
  readonly pool: string
  readonly key: string
  readonly index: number
  readonly cores: number
  readonly workers: number
  readonly submittedAtMs: number
  /** As scancel takes it; undefined while SLURM has not said it. */
  jobId: string | undefined
  phase: Phase
  /** How often SLURM has started it again. */
  restarts: number
  /** When it ran first in this life, by the provisioner's clock. */
  startedAtMs: number | undefined
  /** It was registered once, in any life. */
  wasRegistered: boolean
  cancel: Cancel | undefined
  /** When its workers were asked to drain last. */
  drainToldAtMs: number | undefined
  /** How many listings in a row, each complete, did not show it. */
  misses: number
  /** When SLURM expects it to start, or ended its walltime, by SLURM's clock; undefined when it does not say. */
  expectedStartMs: number | undefined
}

/** How an allocation ended. */
export type EndingKind =
  | 'completed'
  | 'timeout'
  | 'preempted'
  | 'nodeFailure'
  | 'outOfMemory'
  | 'cancelled'
  | 'failed'
  | 'failedBeforeRegistering'
  | 'neverRegistered'
  | 'neverStarted'
  | 'vanished'

export const endingKinds: readonly EndingKind[] = [
  ...(['completed', 'timeout', 'preempted', 'nodeFailure', 'outOfMemory', 'cancelled', 'failed'] as const),
  ...(['failedBeforeRegistering', 'neverRegistered', 'neverStarted', 'vanished'] as const),
]

export interface Ending {
  readonly kind: EndingKind
  /** SLURM's words: its state and reason, such as `NODE_FAIL (NodeDown)`; empty when it said none. */
  readonly slurmState: string
  readonly slurmReason: string
  /** Nothing when a signal ended it, or nobody knows. */
  readonly exitCode: number | undefined
  readonly signal: number | undefined
  /** In one sentence, for people. */
  readonly text: string
}

export interface EndedAllocation {
  /** Ends are numbered in the order in which they were seen. */
  readonly number: number
  readonly allocation: Allocation
  readonly ending: Ending
  readonly node: string
  readonly endedAtMs: number
}

export function allocationIdOf(key: string, index: number): string {
  return `${key}.${index}`
}

/** Whether it counts for what is desired: it will run, or runs and stays. */
export function isStaying({ phase, cancel }: Allocation): boolean {
  return cancel === undefined && phase.kind !== 'draining'
}

/** Whether it waits for SLURM to start it. */
export function isQueued({ phase }: Allocation): boolean {
  return phase.kind === 'submitted' || phase.kind === 'pending'
}

export function nodeOf({ phase }: Allocation): string {
  return phase.kind === 'submitted' || phase.kind === 'pending' ? '' : phase.node
}

export function workersOf({ phase }: Allocation): readonly AllocationWorker[] {
  return phase.kind === 'registered' || phase.kind === 'draining' ? phase.workers : []
}
