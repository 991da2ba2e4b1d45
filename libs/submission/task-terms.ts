import { parseDurationMs, type RetryPolicy } from '#libs/domain'
import type { TaskNeeds } from '#libs/proto'
import type { GraphTaskOptions, SubmitOptions } from '#libs/task'

import { type Endings, endingsOf, replaced, retryOf } from './endings.js'
import { needsOf } from './task-needs.js'

/** How a task is run. */
export interface TaskTerms {
  /** For people, when it is not the name of what is called. */
  readonly name: string | undefined
  readonly timeoutMs: number | undefined
  readonly needs: TaskNeeds | undefined
  /** Its policy, when it is not the job's. */
  readonly retry: RetryPolicy | undefined
  /** Numbers in the job's lists, from 1; 0 for none. */
  readonly needsNumber: number
  readonly retryNumber: number
}

/** How a job and its tasks are run. What many tasks ask for is said once, and named by its number. */
export class JobTerms {
  readonly endings: Endings
  readonly needs = new Listed<TaskNeeds>()
  readonly retryPolicies = new Listed<RetryPolicy>()
  /** Those of tasks without options of their own. */
  readonly usual: TaskTerms
  readonly #options: SubmitOptions

  /** @throws RangeError that says which option is wrong, and what to set. */
  constructor(options: SubmitOptions) {
    this.#options = options
    const profile: string | undefined = options.profile
    if (profile !== undefined && profile !== 'cpu') {
      throw new RangeError(`profile: '${profile}' is nothing that can be sampled: give 'cpu', or leave it out`)
    }
    this.endings = endingsOf(options)
    this.usual = this.of({})
  }

  /**
   * The terms of tasks for which these options count before the job's.
   *
   * @throws RangeError that says which option is wrong, and what to set.
   */
  of(own: GraphTaskOptions): TaskTerms {
    const options = replaced(this.#options, own)
    const needs = needsOf(options)
    const retry = this.#retryOf(own)
    return {
      name: own.name,
      timeoutMs: options.timeout === undefined ? undefined : parseDurationMs(options.timeout, 'timeout'),
      needs,
      retry,
      needsNumber: needs ? this.needs.numberOf(needs, keyOf(needs)) : 0,
      retryNumber: retry ? this.retryPolicies.numberOf(retry, JSON.stringify(retry)) : 0,
    }
  }

  #retryOf(own: GraphTaskOptions): RetryPolicy | undefined {
    if (own.retry?.budget !== undefined) {
      throw new RangeError(
        'retry.budget of a single task: retries have a budget for all tasks of a job, given to cluster.with()',
      )
    }
    const { deadlineMs, retry } = this.endings
    return retryOf(own, deadlineMs !== undefined || retry?.budget !== undefined)
  }
}

/** Values that are equal are listed once. */
class Listed<T> {
  readonly values: T[] = []
  readonly #numbers = new Map<string, number>()

  /** The value's number, from 1. */
  numberOf(value: T, key: string): number {
    let number = this.#numbers.get(key)
    if (number === undefined) this.#numbers.set(key, (number = this.values.push(value)))
    return number
  }
}

function keyOf({ resources, priority, workers, host }: TaskNeeds): string {
  return JSON.stringify([[...resources].sort(), priority, workers, host])
}
