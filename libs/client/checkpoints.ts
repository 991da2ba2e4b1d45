import type { CheckpointInfo, SavedCheckpoint } from '#libs/task'

/**
 * Values that a program keeps under names in the checkpoint-store: durable, versioned, and there for who comes later. Names have
 * parts between slashes, such as `studies/wing/state`; tasks' own are below `jobs/`.
 */
export interface Checkpoints {
  /** Saves a new version. Resolves, with its number from 1, when it is durable. */
  save(name: string, value: unknown, info?: CheckpointInfo): Promise<number>
  /** The newest version, or nothing when there is none. */
  load<T = unknown>(name: string): Promise<SavedCheckpoint<T> | undefined>
  /** Deletes all versions. It is no error when there are none. */
  delete(name: string): Promise<void>
}
