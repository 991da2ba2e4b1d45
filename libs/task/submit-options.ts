import type { ResourceAmounts, RetryableKind } from '#libs/domain'

import type { TaskFuture } from './future.js'
import type { NumericArray } from './nd-array.js'
import type { ScatteredObject } from './scattered-object.js'
import type { SharedInput } from './shared-input.js'

/** An argument of a submitted task: a value, or a future, a scattered object or what is shared in its place, at any depth. */
export type Argument<T> =
  | T
  | TaskFuture<T>
  | ScatteredObject<T>
  | SharedInput<T>
  | (T extends NumericArray | Date | string | number | bigint | boolean | null | undefined
      ? never
      : T extends readonly unknown[]
        ? { readonly [K in keyof T]: Argument<T[K]> }
        : T extends object
          ? { readonly [K in keyof T]: Argument<T[K]> }
          : never)

/** Arguments of a submitted task. */
export type Arguments<A extends readonly unknown[]> = { readonly [K in keyof A]: Argument<A[K]> }

/** How far a submit is safe: in the scheduler's memory, or on its disk. */
export type DurabilityLevel = 'memory' | 'fsynced'

/** How jobs are submitted. */
export interface SubmitOptions {
  /** For people; the task's name unless given. */
  readonly name?: string
  /** Seed of the tasks' random streams, 0 unless given. The stream's number is the task's index in its job. */
  readonly seed?: bigint | number
  /** The longest that one attempt of a task may run: milliseconds, or `'00:10:00'`. */
  readonly timeout?: number | string
  /** A detached job runs to its end also when its client is gone. */
  readonly detached?: boolean
  /**
   * How safe a job must be before its submit is answered: `'fsynced'`, on the scheduler's disk, unless given; or `'memory'`,
   * which takes no turn of the disk, and which a crash of the scheduler in the next moment may forget. `job.submitted` says
   * what was reached.
   */
  readonly durability?: DurabilityLevel
  /** How often a task that fails is tried again, with growing waits: short for `retry: { maxAttempts: retries + 1 }`. */
  readonly retries?: number
  /** When tasks that fail are tried again. Unless given, only after what is the mesh's fault. */
  readonly retry?: RetryOptions
  /** When the job's time is over (milliseconds since the Unix epoch, or a text that a Date understands): what is not done fails. */
  readonly deadline?: Date | number | string
  /** With the first task that fails for good the others are cancelled. Unless given, they go on: the job has partial results. */
  readonly failFast?: boolean
  /**
   * What each task takes of its worker, such as `{ cpu: 2, memory: '2GB', gpu: 1, licence: 1 }`: `cpu` are slots, one unless
   * given; `gpu` are devices, which the task finds in `ctx.devices`; other names are what workers are started with.
   */
  readonly resources?: ResourceAmounts
  /** Higher first, 0 unless given. Jobs of one priority take turns. */
  readonly priority?: number
  /** Ids of the workers that may run the tasks. While none of them is there the tasks wait. */
  readonly workers?: readonly string[]
  /** The host whose workers may run the tasks. */
  readonly host?: string
  /**
   * Samples where the processor time of the tasks goes, by their functions: `cluster.profile(job)` then has it as `cpu`. Some
   * percent slower, and short tasks wait for their samples to be saved.
   */
  readonly profile?: 'cpu'
}

/** What may differ between the tasks of one job; `name` is the task's own. */
export type GraphTaskOptions = Pick<
  SubmitOptions,
  'name' | 'timeout' | 'retries' | 'retry' | 'resources' | 'priority' | 'workers' | 'host'
>

/** When tasks that fail are tried again. */
export interface RetryOptions {
  /**
   * The most attempts of a task that may end in one class of failure; `Infinity` needs a budget or the job a deadline. It makes
   * no less of what the mesh tries anyway (a lost worker, an input that cannot be fetched), and does not count for `result` and
   * `bundle`, which more attempts seldom help.
   */
  readonly maxAttempts?: number
  /** The same for single classes: `{ userError: 1, timeout: 3 }`. */
  readonly classes?: Readonly<Partial<Record<RetryableKind, number>>>
  /** The wait before a task's first retry, 1 s unless given: milliseconds, or `'10s'`. */
  readonly backoff?: number | string
  /** Each wait is so many times the one before; 2 unless given. */
  readonly factor?: number
  /** No wait is longer; 60 s unless given. */
  readonly maxBackoff?: number | string
  /** The share of each wait, from 0 to 1, that is left to chance; 0.2 unless given. */
  readonly jitter?: number
  /** The most retries of all tasks of the job together. */
  readonly budget?: number
}

/** How to gather. */
export interface GatherOptions {
  /** `raise` (the default) throws the first failure as soon as it is known; `skip` leaves failed ones out. */
  readonly errors?: 'raise' | 'skip'
}

/** What a future's task gives. */
export type ResultOf<F> = F extends TaskFuture<infer R> ? R : never
