import type { CheckpointDescription } from '#libs/checkpoint'

import type { NearCheckpoint } from './nearest-checkpoints.js'

/** What is remembered beside a value, and on which condition it is saved. */
export interface SaveCheckpointOptions {
  readonly iteration?: number
  readonly cost?: number
  /** Labels of one's own; a version with the label `keep` stays when others are dropped. */
  readonly labels?: Readonly<Record<string, string>>
  /** The point of a study that the value is the solution for, by which `nearest` finds it; kept in the label `parameters`. */
  readonly parameters?: readonly number[]
  /** Save only when the newest version has this etag, or `0` when there must be none; else ABORTED with ETAG_MISMATCH. */
  readonly etag?: string
}

/** A version with its value. */
export interface LoadedCheckpoint<T> {
  readonly value: T
  readonly version: number
  readonly iteration?: number
  readonly cost?: number
  readonly labels: Readonly<Record<string, string>>
}

/** What happened to a name: this is its newest version now, or it has none any more. */
export type CheckpointChange =
  | { readonly kind: 'saved'; readonly checkpoint: CheckpointDescription }
  | { readonly kind: 'deleted'; readonly name: string }

/** Which versions to drop: those under a prefix that none of these keeps. Versions with the label `keep` always stay. */
export interface PruneOptions {
  readonly prefix?: string
  /** How many of the newest versions of each name stay; 1 unless given. */
  readonly keepVersions?: number
  /** Versions younger than this stay: `7d`, `12h`, or milliseconds. */
  readonly keepFor?: number | string
  /** Only versions that have all of these labels. */
  readonly labels?: Readonly<Record<string, string>>
  /** Only say what would be dropped. */
  readonly dryRun?: boolean
}

/**
 * Named, versioned values that outlive jobs and processes. A name is made of segments between slashes, such as
 * `studies/landing/seed-7`; each save makes a new version, and what was acknowledged survives a crash of anything.
 */
export interface Checkpoints {
  /** Saves a new version of any value that a task could return. Resolves when it is durable. */
  save(name: string, value: unknown, options?: SaveCheckpointOptions): Promise<CheckpointDescription>
  /** The newest version unless another is named; nothing when there is none. */
  load<T = unknown>(name: string, options?: { readonly version?: number }): Promise<LoadedCheckpoint<T> | undefined>
  /** A version without its value; nothing when there is none. */
  describe(name: string, options?: { readonly version?: number }): Promise<CheckpointDescription | undefined>
  /** The newest version of every name under a prefix, or all versions, ordered by name. */
  list(options?: {
    readonly prefix?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly allVersions?: boolean
  }): Promise<CheckpointDescription[]>
  /**
   * The `k` solved points of a study that are nearest to the parameters, the nearest first: a guess to begin from. Points are the
   * newest versions under `study/` that were saved with `parameters`. Each parameter counts by its range over the study; of
   * equally near points that with the lesser name comes first.
   * @throws RangeError for a k below 1, and for parameters that are no finite numbers or not as many as the points have.
   */
  nearest(study: string, parameters: readonly number[], k?: number): Promise<NearCheckpoint[]>
  /** Deletes all versions, or one. Resolves with how many there were. */
  delete(name: string, options?: { readonly version?: number; readonly etag?: string }): Promise<number>
  /** Drops old versions; says which, and how many bytes of the disk that gives back. */
  prune(options?: PruneOptions): Promise<{ versions: CheckpointDescription[]; freedBytes: number }>
  /**
   * What there is under a prefix, and then whatever changes, until the loop is left. Of changes that come faster than they
   * are taken the last one of each name is told.
   */
  watch(prefix?: string): AsyncIterable<CheckpointChange>
}
