import type { FailureKind } from './failure.js'
import { philox4x32 } from './philox.js'

/** The classes of failure after which a task may be tried again. What somebody cancelled stays cancelled. */
export type RetryableKind = Exclude<FailureKind, 'cancelled'>

export const retryableKinds: readonly RetryableKind[] = [
  'userError',
  'workerLost',
  'timeout',
  'outOfMemory',
  'bundle',
  'input',
  'result',
]

/** When a task that failed is tried again. */
export interface RetryPolicy {
  /**
   * How many attempts may end in this class of failure, the last of which fails the task; `Infinity` for no limit. A class
   * that is not named keeps its default: one, or for what is the mesh's fault a few.
   */
  readonly maxAttempts: Readonly<Partial<Record<RetryableKind, number>>>
  /** The wait before the first retry of a task. */
  readonly firstDelayMs: number
  /** Each wait is so many times the one before. */
  readonly factor: number
  /** No wait is longer. */
  readonly maxDelayMs: number
  /** The share of a wait, from 0 to 1, that is left to chance, so that what failed together does not come back together. */
  readonly jitter: number
  /** How many retries all tasks of the job have together; no limit unless given. */
  readonly budget?: number
}

/** How retries are spaced unless a policy says otherwise. */
export const defaultBackoff = { firstDelayMs: 1_000, factor: 2, maxDelayMs: 60_000, jitter: 0.2 } as const

/**
 * How long a task waits before it is tried again. The same task, attempt and seed always give the same wait.
 *
 * @param retry The number of the retry, from 1.
 * @param source What the jitter is drawn from: the job's id and seed, the task's index.
 */
export function retryDelayMs(
  { firstDelayMs, factor, maxDelayMs, jitter }: Omit<RetryPolicy, 'maxAttempts' | 'budget'>,
  retry: number,
  source: { readonly jobId: string; readonly seed: bigint; readonly index: number },
): number {
  const wholeMs = Math.min(maxDelayMs, firstDelayMs * Math.min(factor ** (retry - 1), Number.MAX_VALUE))
  return wholeMs * (1 - jitter * chanceOf(source, retry))
}

/** Why the policy may go on for ever, and what to set; nothing when it has an end. */
export function explainEndless(
  { maxAttempts, budget }: Pick<RetryPolicy, 'maxAttempts' | 'budget'>,
  hasDeadline: boolean,
): string | undefined {
  const endless = retryableKinds.filter((kind) => maxAttempts[kind] === Infinity)
  if (endless.length === 0 || hasDeadline || budget !== undefined) return undefined
  return (
    `the retry policy cannot end: attempts that end in ${endless.join(', ')} have no limit, and the job has no deadline ` +
    'and no budget of retries: set the maximum number of attempts, a budget, or a deadline'
  )
}

/** A number in [0, 1). */
function chanceOf({ jobId, seed, index }: { jobId: string; seed: bigint; index: number }, retry: number): number {
  const key = [hashOf(jobId), Number(seed & 0xffffffffn)]
  const [word = 0] = philox4x32([index, retry, Number((seed >> 32n) & 0xffffffffn), 0x72747279], key)
  return word / 2 ** 32
}

/** FNV-1a. */
function hashOf(text: string): number {
  let hash = 2_166_136_261
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 16_777_619) >>> 0
  return hash
}
