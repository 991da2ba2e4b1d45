import type { ObjectId, TaskFailure, TaskId } from '#libs/domain'

import type { Effect } from './effect.js'

/** One attempt of a task as commands and reports name it. */
export interface AttemptRef {
  readonly taskId: TaskId
  readonly epoch: number
  readonly attempt: number
}

/** Names an attempt within the worker. */
export type AttemptKey = string

export function keyOf({ taskId, epoch, attempt }: AttemptRef): AttemptKey {
  return `${taskId}@${epoch}.${attempt}`
}

/** Each has a thread or process of its own. */
export const defaultMaxParked = 256

/** What a worker was told to run. `input` and `inputs` are opaque to the core. */
export interface TaskOrder extends AttemptRef {
  readonly jobId: string
  readonly index: number
  readonly bundleDigest: string
  readonly taskName: string
  readonly seed: bigint
  readonly input: Uint8Array
  /** What must be fetched before the task can run. */
  readonly inputs: readonly unknown[]
  /** Trace context of the attempt; empty when it is not traced by itself. */
  readonly trace: Readonly<Record<string, string>>
  /** That of its job. */
  readonly jobTrace?: Readonly<Record<string, string>>
  readonly timeoutMs: number | undefined
  /** When the job's time is over; the scheduler sees to it. */
  readonly deadlineMs?: number | undefined
  /** How many devices it needs. */
  readonly gpus?: number
  /** What is sampled while it runs; nothing for most. */
  readonly profile?: 'cpu'
  /** Somebody waits for its end, or it ran before: what becomes of it is said at once. */
  readonly urgent?: boolean
  /** Attempts on this worker whose results are inputs beside those above: it was sent ahead of them. None for most. */
  readonly behind?: readonly AttemptRef[]
}

/** A result: small ones travel in the report, large ones stay here as objects. */
export type EndOutcome =
  | { readonly kind: 'payload'; readonly payload: Uint8Array }
  | { readonly kind: 'object'; readonly objectId: ObjectId }
  | { readonly kind: 'failed'; readonly failure: TaskFailure }

/** How an attempt ended. Kept until the scheduler says that it is recorded. */
export interface AttemptEnd {
  readonly ref: AttemptRef
  readonly outcome: EndOutcome
  readonly startedAtMs: number
  readonly endedAtMs: number
  readonly slot: number
  readonly savedCheckpoint?: boolean
  /** Whose results it took here, if it was sent ahead of them. */
  readonly behind?: readonly AttemptRef[]
}

/** The result of an attempt that ended here, which another takes. */
export interface MadeInput {
  readonly taskId: TaskId
  readonly outcome: Exclude<EndOutcome, { kind: 'failed' }>
}

export type AttemptStatus =
  | { readonly kind: 'fetching' }
  /** What it was sent ahead of is not made, and not all in one line that has room for it. */
  | { readonly kind: 'following' }
  | { readonly kind: 'ready' }
  /** In a slot's line, behind what runs there. */
  | { readonly kind: 'lined'; readonly slot: number }
  | { readonly kind: 'running'; readonly slot: number; readonly startedAtMs: number }
  | ParkedStatus

/** In no slot: it waits for tasks that it submitted, or has a slot again as soon as one of the worker's is free. */
export interface ParkedStatus {
  readonly kind: 'awaiting' | 'resuming'
  readonly startedAtMs: number
  /** The slot that it left. */
  readonly lastSlot: number
  /** From 1 within the attempt. */
  readonly wait: number
  /** It has what it waited for. */
  readonly isOver: boolean
}

export function isParked(status: AttemptStatus): status is ParkedStatus {
  return status.kind === 'awaiting' || status.kind === 'resuming'
}

export interface Attempt {
  readonly order: TaskOrder
  status: AttemptStatus
  /** The scheduler took the attempt back; its end is not reported, unless it left a large result. */
  cancelled: boolean
  /** The scheduler wants it elsewhere if it has not begun: it goes into no other line. */
  isRecalled?: boolean
  /** It is to leave its line for a slot that is free, if it has not begun. */
  isMoving?: boolean
  /** It was asked to end because the worker leaves: a failure now is no fault of its own. */
  isNoticed?: boolean
  /** What it has done is not lost with the worker. */
  savedCheckpoint?: boolean
  /** The devices that are its own while it is in a slot. */
  devices?: readonly number[]
  /** What it was sent ahead of, as far as that is not made; and what is. */
  missing?: readonly AttemptRef[]
  made?: readonly MadeInput[]
}

export interface State {
  readonly slots: number
  /** How many attempts may wait without a slot. */
  readonly maxParked: number
  /** What waits in a line can be taken out of it whatever runs there: threads can, processes cannot. */
  readonly withdraws: boolean
  readonly attempts: Map<AttemptKey, Attempt>
  /** By attempt that is not over, those that were sent ahead of its result. */
  readonly followers: Map<AttemptKey, AttemptKey[]>
  /** Attempts whose inputs are here, in the order in which they became ready. */
  readonly ready: AttemptKey[]
  /** Attempts whose inputs are here, but not as many devices as they need. */
  readonly awaitingDevices: AttemptKey[]
  /** Attempts that the scheduler gave a slot again, in that order. */
  readonly resuming: AttemptKey[]
  /** Devices that no attempt has, the lowest first. */
  readonly freeDevices: number[]
  /** What each slot has: the first runs, the others wait behind it. */
  readonly lines: AttemptKey[][]
  /** Whether everything in a slot's line is short, so that more may wait behind it; looked up again where unknown. */
  readonly openLines: (boolean | undefined)[]
  readonly unacknowledged: Map<AttemptKey, AttemptEnd>
  /** Smoothed run time of each function in milliseconds. */
  readonly meanRunMs: Map<string, number>
  /** Reports that wait for others, and until when. */
  held: Effect[]
  heldUntilMs: number
  linked: boolean
  /** Memory is nearly full: nothing is started. */
  paused: boolean
  draining: boolean
  left: boolean
}

export function createState(slots: number, devices = 0, maxParked = defaultMaxParked, withdraws = true): State {
  return {
    slots,
    maxParked,
    withdraws,
    attempts: new Map(),
    followers: new Map(),
    ready: [],
    awaitingDevices: [],
    resuming: [],
    freeDevices: Array.from({ length: devices }, (_, device) => device),
    lines: Array.from({ length: slots }, () => []),
    openLines: Array.from({ length: slots }, () => undefined),
    unacknowledged: new Map(),
    meanRunMs: new Map(),
    held: [],
    heldUntilMs: Infinity,
    linked: false,
    paused: false,
    draining: false,
    left: false,
  }
}

/** Which kind of task it is, for run times. */
export function kindOf({ bundleDigest, taskName }: TaskOrder): string {
  return `${bundleDigest}/${taskName}`
}

/** Whether the object is the result of a task that was sent here and has not ended. */
export function isOrdered({ attempts }: State, objectId: string): boolean {
  for (const { order } of attempts.values()) if ((order.taskId as string) === objectId) return true
  return false
}
