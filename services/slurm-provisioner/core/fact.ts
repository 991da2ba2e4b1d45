import type { Pause, Scale } from './pool.js'

/** What a restart must know. Written to the journal: a change here needs a new format there. */
export type Fact =
  /** Before sbatch is called: whatever becomes of it, its jobs are found by the key. */
  | {
      readonly kind: 'submitIntended'
      readonly atMs: number
      readonly pool: string
      readonly key: string
      readonly indices: readonly number[]
      readonly cores: number
      readonly workers: number
    }
  | { readonly kind: 'submitAccepted'; readonly key: string; readonly jobId: string }
  | { readonly kind: 'allocationRegistered'; readonly key: string; readonly index: number }
  | { readonly kind: 'allocationEnded'; readonly key: string; readonly index: number }
  /** None of its allocations is left. */
  | { readonly kind: 'submissionEnded'; readonly key: string }
  | { readonly kind: 'poolScaled'; readonly pool: string; readonly scale: Scale }
  | { readonly kind: 'poolPaused'; readonly pool: string; readonly pause: Pause }
  | { readonly kind: 'poolResumed'; readonly pool: string }
  | { readonly kind: 'coreTimeSpent'; readonly pool: string; readonly totalCoreMs: number }
  | { readonly kind: 'nodeExcluded'; readonly node: string; readonly untilMs: number; readonly reason: string }
  | { readonly kind: 'nodeReadmitted'; readonly node: string }

export type FactOf<Kind extends Fact['kind']> = Extract<Fact, { readonly kind: Kind }>
