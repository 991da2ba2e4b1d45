import type { Work } from './state.js'
import type { PoolLimits, Scale } from './pool.js'

/** A job as SLURM's queue shows it, of this mesh. */
export interface QueuedJob {
  readonly pool: string
  readonly key: string
  readonly index: number
  /** As scancel takes it. */
  readonly jobId: string
  /** SLURM's word, such as `PENDING`. */
  readonly state: string
  readonly reason: string
  readonly node: string
  readonly restarts: number
  readonly exitCode: number | undefined
  readonly signal: number | undefined
  readonly startMs: number | undefined
}

/** A worker as the scheduler shows it. */
export interface ListedWorker {
  readonly workerId: string
  /** The allocation that it says it belongs to; undefined for one that somebody else started. */
  readonly allocationId: string | undefined
  readonly restarts: number
  readonly slots: number
  readonly assignedTasks: number
  readonly heldObjects: number
  readonly isDraining: boolean
}

/** Why sbatch refused. */
export interface Refusal {
  readonly kind: string
  /** SLURM's own text. */
  readonly message: string
  readonly advice: string
  /** Trying again later may help without anybody's doing: a limit, a controller that is away. */
  readonly isTransient: boolean
}

/** What the provisioner hears. */
export type Event =
  | {
      readonly kind: 'demandHeard'
      readonly atMs: number
      /** Slots that would be busy if they were there. A level: hearing it twice changes nothing. */
      readonly wantedSlots: number
      /** As far as run times are known. */
      readonly work?: Work
    }
  /** After the journal was replayed. */
  | { readonly kind: 'started'; readonly atMs: number }
  | { readonly kind: 'demandLost'; readonly atMs: number }
  | { readonly kind: 'workersListed'; readonly atMs: number; readonly workers: readonly ListedWorker[] }
  | { readonly kind: 'workersUnknown'; readonly atMs: number }
  /** The scheduler was told to drain it, and does. */
  | { readonly kind: 'workerDrains'; readonly atMs: number; readonly workerId: string }
  | {
      readonly kind: 'jobsListed'
      readonly atMs: number
      /** When squeue was called: what was accepted later may be missing. */
      readonly askedAtMs: number
      /** Nothing may be concluded from what is missing in a listing with lines that make no sense. */
      readonly isComplete: boolean
      readonly jobs: readonly QueuedJob[]
    }
  | { readonly kind: 'jobsUnknown'; readonly atMs: number; readonly message: string }
  | { readonly kind: 'submitAccepted'; readonly atMs: number; readonly key: string; readonly jobId: string }
  | { readonly kind: 'submitRefused'; readonly atMs: number; readonly key: string; readonly refusal: Refusal }
  /** sbatch ended in a way that leaves open whether the job is there. */
  | { readonly kind: 'submitUnclear'; readonly atMs: number; readonly key: string; readonly message: string }
  | { readonly kind: 'poolsDefined'; readonly atMs: number; readonly pools: readonly PoolLimits[] }
  | { readonly kind: 'poolScaled'; readonly atMs: number; readonly pool: string; readonly scale: Scale }
  | { readonly kind: 'poolPaused'; readonly atMs: number; readonly pool: string; readonly reason: string }
  | { readonly kind: 'poolResumed'; readonly atMs: number; readonly pool: string }
  /** Their workers are to finish what they run and leave; the allocations are replaced if there is work for them. */
  | { readonly kind: 'drainRequested'; readonly atMs: number; readonly allocationIds: readonly string[] }
  /** The mesh ends: everything goes. */
  | { readonly kind: 'stopRequested'; readonly atMs: number }
  | { readonly kind: 'timePassed'; readonly atMs: number }

export type EventOf<Kind extends Event['kind']> = Extract<Event, { kind: Kind }>
