import type { TaskFailure } from '#libs/domain'
import type { Value } from '#libs/proto'

import type { FetchedInputs } from '../objects/fetched-input.js'

/** What the tasks of a job that call the same function have in common; a message says it once. */
export interface ThreadCall {
  /** Tasks of one kind take about the same time. */
  readonly kind: string
  readonly jobId: string
  readonly seed: bigint
  readonly bundlePath: string
  readonly bundleDigest: string
  readonly taskName: string
}

/** One task as its thread gets it. The bytes are the thread's own: messages copy them. */
export interface ThreadTask {
  readonly key: string
  readonly taskId: string
  readonly index: number
  readonly attempt: number
  /** One object for all tasks of a message that make the call: the message holds it once. */
  readonly call: ThreadCall
  readonly input: Uint8Array
  readonly inputs: FetchedInputs
  readonly trace: Readonly<Record<string, string>>
  readonly timeoutMs: number | undefined
  readonly deadlineMs?: number | undefined
}

/** A value with its body in a buffer of its own, which the message moves. */
export interface ThreadBody {
  readonly structure: Value
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** How a task ended in its thread. */
export type ThreadOutcome =
  | { readonly kind: 'payload'; readonly payload: Uint8Array }
  | ({ readonly kind: 'body' } & ThreadBody)
  | { readonly kind: 'failed'; readonly failure: TaskFailure }

export interface ThreadEnd {
  readonly key: string
  readonly outcome: ThreadOutcome
  readonly startedAtMs: number
  readonly endedAtMs: number
}

/** What the process's main side says to a thread. */
export type ToThread =
  | { readonly kind: 'run'; readonly tasks: readonly ThreadTask[] }
  | { readonly kind: 'stop'; readonly key: string; readonly reason: string }
  | { readonly kind: 'answer'; readonly callId: number; readonly result?: unknown; readonly error?: string }

/** A line that a task wrote. */
export interface ThreadLog {
  readonly taskId: string
  readonly attempt: number
  readonly level: string
  readonly text: string
  readonly atMs: number
}

/** What a task asks of its checkpoint. */
export type CheckpointCall =
  | ({
      readonly kind: 'save'
      readonly info: { iteration?: number; cost?: number; labels?: Record<string, string> }
    } & ThreadBody)
  | { readonly kind: 'load' }

/** What a load is answered with. */
export interface LoadedCheckpoint extends ThreadBody {
  readonly version: number
  readonly iteration?: number
  readonly cost?: number
}

/** What a thread says to the process's main side. */
export type FromThread =
  | { readonly kind: 'started'; readonly key: string; readonly startedAtMs: number }
  | { readonly kind: 'ended'; readonly ends: readonly ThreadEnd[] }
  | { readonly kind: 'dropped'; readonly key: string }
  | {
      readonly kind: 'progress'
      readonly taskId: string
      readonly fraction: number
      readonly message?: string
      readonly iteration?: number
      readonly cost?: number
    }
  | { readonly kind: 'log'; readonly line: ThreadLog }
  | { readonly kind: 'span'; readonly line: string }
  | { readonly kind: 'checkpoint'; readonly callId: number; readonly taskId: string; readonly call: CheckpointCall }
