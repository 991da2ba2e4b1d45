import type { JobId, ObjectId, RetryPolicy } from '#libs/domain'

import type { TaskNeeds } from './demand-class.js'

/** A function that a task calls, resolved to its bundle. */
export interface BundledFunction {
  readonly bundleDigest: string
  readonly taskName: string
}

/** What a client asked for: one call of a function on inputs. */
export interface TaskSpec {
  readonly functionIndex: number
  readonly input: Uint8Array
  readonly dependencies: readonly ObjectId[]
  readonly name: string
  readonly timeoutMs: number | undefined
  /** Which of its job's needs are the task's, from 1; none for a slot anywhere. */
  readonly needs?: number
  /** Which of its job's retry policies is the task's, from 1; none for the job's own. */
  readonly retryPolicy?: number
}

/** The attempt of a task that submitted a job. */
export interface JobParent {
  readonly jobId: JobId
  readonly index: number
  readonly epoch: number
  readonly attempt: number
  /** How many tasks are above the job: 1 when the parent's job has no parent. */
  readonly depth: number
  /** The parent's priority, to which those of the job's tasks are added. */
  readonly priority: number
}

/** What a client submits in one go. */
export interface JobSpec {
  readonly jobId: JobId
  readonly name: string
  readonly functions: readonly BundledFunction[]
  readonly tasks: readonly TaskSpec[]
  /** What its tasks ask of the places where they run, each said once. */
  readonly needs?: readonly TaskNeeds[]
  readonly seed: bigint
  readonly trace: Readonly<Record<string, string>>
  readonly detached: boolean
  /** When tasks that fail are tried again, unless as usual. */
  readonly retry?: RetryPolicy
  /** Those of single tasks, each said once; the budget is the job's. */
  readonly retryPolicies?: readonly RetryPolicy[]
  /** What is not settled by then fails. */
  readonly deadlineMs?: number
  /** With the first task that fails for good the others are cancelled. */
  readonly failFast?: boolean
  /** What is sampled of its tasks while they run; nothing for most. */
  readonly profile?: 'cpu'
  /** The task that submitted it; none for a client's. */
  readonly parent?: JobParent
}
