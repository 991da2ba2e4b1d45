import type { FailedAttempt, RetryableKind } from '#libs/domain'

import type { Fact } from './fact.js'
import type { FailedAttempts } from './failed-attempts.js'
import type { Task } from './state.js'

/** Of so many attempts at most something is kept: the first, which often says most, and the newest. */
const maxHistory = 10
const maxMessageLength = 500

/** Remembers a failed attempt with its task. */
export function addFailedAttempt(task: Task, fact: Extract<Fact, { kind: 'attemptFailed' }>): void {
  const { failed, charged, over, epoch, retryAtMs } = fact
  const past = task.past ?? nothingFailed
  task.past = {
    history: withNewest(past.history, failed),
    charged: charged === undefined ? past.charged : { ...past.charged, [charged]: chargesOf(task, charged) + 1 },
    over: over ? { epoch, attempt: failed.attempt } : past.over,
    retryAtMs: retryAtMs ?? past.retryAtMs,
  }
  task.attempt = Math.max(task.attempt, failed.attempt)
  if (charged !== undefined && retryAtMs !== undefined) task.job.retries++
}

const nothingFailed: FailedAttempts = { history: [], charged: {}, over: undefined, retryAtMs: 0 }

function withNewest(history: readonly FailedAttempt[], failed: FailedAttempt): FailedAttempt[] {
  const { message } = failed
  const short =
    message.length <= maxMessageLength ? failed : { ...failed, message: `${message.slice(0, maxMessageLength)}…` }
  return history.length < maxHistory ? [...history, short] : [history[0] as FailedAttempt, ...history.slice(2), short]
}

/** How many attempts counted against the limits of these classes. */
export function chargesOf({ past }: Task, ...kinds: readonly RetryableKind[]): number {
  return kinds.reduce((sum, kind) => sum + (past?.charged[kind] ?? 0), 0)
}

/** Whether the attempt may still be somewhere, as far as is remembered. */
export function mayStillRun({ past }: Task, { epoch, attempt }: { epoch: number; attempt: number }): boolean {
  const over = past?.over
  return over === undefined || epoch > over.epoch || (epoch === over.epoch && attempt > over.attempt)
}

/** Whether the task waits for its next attempt, and the one before is over. */
export function isBetweenAttempts({ past }: Task, atMs: number): boolean {
  return past !== undefined && past.retryAtMs > atMs && past.history.at(-1)?.attempt === past.over?.attempt
}
