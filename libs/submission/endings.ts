import {
  defaultBackoff,
  explainEndless,
  parseDurationMs,
  type RetryableKind,
  retryableKinds,
  type RetryPolicy,
} from '#libs/domain'
import type { RetryOptions, SubmitOptions } from '#libs/task'

/** How a job may end: what is tried again, until when, and whether the first failure ends it. */
export interface Endings {
  readonly retry: RetryPolicy | undefined
  readonly deadlineMs: number | undefined
  readonly failFast: boolean
}

/**
 * How often the mesh tries at least when a number is given for all classes: what is not the task's fault it tries anyway, and
 * a small number must not make that less. What more attempts seldom help is tried again only when it is named.
 */
const usualAttempts: Readonly<Record<RetryableKind, number>> = {
  userError: 0,
  timeout: 0,
  workerLost: 4,
  outOfMemory: 4,
  input: 9,
  result: Infinity,
  bundle: Infinity,
}

const mostAttempts = 2 ** 31

/**
 * Reads and checks what the options say of endings.
 *
 * @throws RangeError that says which option is wrong, and what to set.
 */
export function endingsOf({ retries, retry, deadline, failFast = false }: SubmitOptions): Endings {
  const deadlineMs = deadline === undefined ? undefined : deadlineOf(deadline)
  return { retry: retryOf({ retries, retry }, deadlineMs !== undefined), deadlineMs, failFast }
}

/**
 * When tasks are tried again, as far as the options say. `hasEnd`: something else ends a policy that has no end itself.
 *
 * @throws RangeError that says which option is wrong, and what to set.
 */
export function retryOf(
  { retries, retry }: { [K in 'retries' | 'retry']?: SubmitOptions[K] | undefined },
  hasEnd: boolean,
): RetryPolicy | undefined {
  if (retries !== undefined && retry !== undefined) {
    throw new RangeError('retries and retry are both given: retries: 3 is short for retry: { maxAttempts: 4 }')
  }
  if (retries !== undefined) checkCount(retries, 0, 'retries')
  const options = retries === undefined ? retry : { maxAttempts: retries + 1 }
  return options && policyOf(options, hasEnd)
}

function policyOf(options: RetryOptions, hasEnd: boolean): RetryPolicy {
  const { backoff, factor = defaultBackoff.factor, maxBackoff, jitter = defaultBackoff.jitter, budget } = options
  if (!(factor >= 1 && factor <= 100)) throw new RangeError(`retry.factor is ${factor}: give a number from 1 to 100`)
  if (!(jitter >= 0 && jitter <= 1)) throw new RangeError(`retry.jitter is ${jitter}: give a share from 0 to 1`)
  if (budget !== undefined) checkCount(budget, 0, 'retry.budget')
  const firstDelayMs = backoff === undefined ? defaultBackoff.firstDelayMs : parseDurationMs(backoff, 'retry.backoff')
  const usualMaxMs = Math.max(defaultBackoff.maxDelayMs, firstDelayMs)
  const policy: RetryPolicy = {
    maxAttempts: limitsOf(options),
    firstDelayMs,
    factor,
    maxDelayMs: maxBackoff === undefined ? usualMaxMs : parseDurationMs(maxBackoff, 'retry.maxBackoff'),
    jitter,
    ...(budget === undefined ? {} : { budget }),
  }
  const endless = explainEndless(policy, hasEnd)
  if (endless !== undefined) throw new RangeError(endless)
  return policy
}

function limitsOf({ maxAttempts, classes = {} }: RetryOptions): RetryPolicy['maxAttempts'] {
  for (const name of Object.keys(classes)) {
    if (!(retryableKinds as readonly string[]).includes(name)) {
      throw new RangeError(`retry.classes.${name} is no class of failure: give one of ${retryableKinds.join(', ')}`)
    }
  }
  const limits: { -readonly [K in keyof RetryPolicy['maxAttempts']]: RetryPolicy['maxAttempts'][K] } = {}
  for (const kind of retryableKinds) {
    const own = classes[kind]
    const limit = own ?? maxAttempts
    if (limit === undefined) continue
    if (limit !== Infinity) checkCount(limit, 1, own === undefined ? 'retry.maxAttempts' : `retry.classes.${kind}`)
    if (own !== undefined || limit > usualAttempts[kind]) limits[kind] = limit
  }
  return limits
}

function deadlineOf(deadline: NonNullable<SubmitOptions['deadline']>): number {
  const ms = new Date(deadline).getTime()
  if (!Number.isNaN(ms)) return ms
  throw new RangeError(
    `deadline: '${String(deadline)}' is no point in time: give a Date, or for example '2030-01-31T12:00Z'`,
  )
}

function checkCount(value: number, least: number, what: string): void {
  if (Number.isInteger(value) && value >= least && value < mostAttempts) return
  throw new RangeError(`${what} is ${value}: give a whole number from ${least}`)
}

/** The options with some of them replaced. Of two ways to say the same the newer one counts. */
export function replaced(options: SubmitOptions, by: SubmitOptions): SubmitOptions {
  const { retries: _retries, retry: _retry, ...others } = options
  return 'retries' in by || 'retry' in by ? { ...others, ...by } : { ...options, ...by }
}
