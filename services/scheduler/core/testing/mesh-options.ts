import type { RetryPolicy } from '#libs/domain'

import type { AttemptRef, HeldObject, ListedAttempt, StoredReport } from '../event.js'
import type { WorkerEnd } from '../state.js'
import type { TestNeeds } from './needs.js'

/** A task of a test: its name, and the names of the tasks and buffers that it takes. */
export type TestTask = string | readonly [name: string, ...inputs: string[]]

export interface SubmitOptions extends TestNeeds {
  readonly job?: string
  readonly session?: string
  readonly detached?: boolean
  /** The function that the tasks call; run times are learnt by it. */
  readonly kind?: string
  readonly request?: string
  readonly inputBytes?: number
  readonly retry?: Partial<RetryPolicy>
  /** The policies of single tasks, by name. */
  readonly retries?: Readonly<Record<string, Partial<RetryPolicy>>>
  /** So long after the submit. */
  readonly deadlineMs?: number
  readonly failFast?: boolean
  /** The task that submits it, in the attempt that it is in unless told otherwise. */
  readonly parent?: string
  readonly attempt?: Partial<AttemptRef>
}

export interface FinishOptions {
  /** The result is an object of this size, held by the worker; else it travels in the report. */
  readonly bytes?: number
  readonly inlineBytes?: number
  readonly runMs?: number
  readonly savedCheckpoint?: boolean
}

/** What a worker says that it has when it joins. */
export interface JoinOptions {
  readonly slots?: number
  readonly resources?: Readonly<Record<string, number>>
  readonly memoryLimitBytes?: number
  readonly host?: string
  readonly endsAtMs?: number
  readonly attempts?: readonly (AttemptRef & Partial<ListedAttempt>)[]
  readonly objects?: readonly (string | HeldObject)[]
  readonly stored?: readonly StoredReport[]
  readonly predecessor?: WorkerEnd
}
