import type { TaskFailure } from '#libs/domain'
import type { Bytes } from '#libs/memory'
import type { Durability, JobSpec, Result, TaskSettled, Value } from '#libs/proto'
import type { InputValues } from '#libs/submission'

import type { Loan } from './slot-loans.js'
import type { EndColumns, TaskColumns } from './slot-columns.js'

/** What the tasks of a job that call the same function have in common; a message says it once. */
export interface SlotCall {
  /** Tasks of one kind take about the same time. */
  readonly kind: string
  readonly jobId: string
  readonly seed: bigint
  readonly bundlePath: string
  readonly bundleDigest: string
  readonly taskName: string
  /** A task that changes what it shares with others fails. */
  readonly verifyInputs: boolean
  /** Whether its tasks are sampled while they run. */
  readonly isSampled?: boolean
}

/** An input that a task before in the line makes: the object, and the attempt. */
export interface AwaitedInput {
  readonly objectId: string
  readonly key: string
}

/** One task as its slot gets it. The bytes are the slot's own: messages copy them. */
export interface SlotTask {
  readonly key: string
  readonly taskId: string
  readonly index: number
  readonly attempt: number
  /** One object for all tasks of a message that make the call: the message holds it once. */
  readonly call: SlotCall
  readonly input: Uint8Array
  readonly inputs: InputValues
  readonly trace: Readonly<Record<string, string>>
  readonly timeoutMs: number | undefined
  readonly deadlineMs?: number | undefined
  /** It may have ended a slot: that it starts is said before it does. */
  readonly isDoubtful: boolean
  /** Somebody waits for it, or it ran before. */
  readonly isUrgent: boolean
  /** Its place among the claims of the line. */
  readonly claim: number
  /** The devices that are its own while it runs. */
  readonly devices: readonly number[]
  /** Nothing for most. */
  readonly awaited?: readonly AwaitedInput[] | undefined
}

/** A value with its body in a buffer of its own, which the message moves. */
export interface SlotBody {
  readonly structure: Value
  readonly bytes: Bytes<ArrayBuffer>
  /** The bytes lie in memory that the main side has lent: a message says only where. */
  readonly loan?: Loan | undefined
}

/** How a task ended in its slot. */
export type SlotOutcome =
  | { readonly kind: 'payload'; readonly payload: Uint8Array }
  | ({ readonly kind: 'body' } & SlotBody)
  | { readonly kind: 'failed'; readonly failure: TaskFailure }

export interface SlotEnd {
  readonly key: string
  readonly outcome: SlotOutcome
  readonly startedAtMs: number
  readonly endedAtMs: number
}

export interface SlotStart {
  readonly key: string
  readonly startedAtMs: number
}

/** What became of the tasks before, and which runs now. */
export interface SlotTurn {
  readonly kind: 'turn'
  readonly ends?: EndColumns | undefined
  /** Inputs of these were not made here; they have not begun. */
  readonly passedOver?: readonly string[] | undefined
  readonly started?: SlotStart | undefined
  /** The line lasts for a while, and nobody waits for these: nobody need act on them before something else is said. */
  readonly mayWait?: boolean
}

/** What the worker's main side says to a slot. */
export type ToSlot =
  /** The attempt goes on after this wait, or its wait is refused; whatever came of it, the slot takes tasks again. */
  | { readonly kind: 'resume'; readonly key: string; readonly wait: number; readonly refusal?: string }
  /** What became of a job that a task here submitted. */
  | { readonly kind: 'told'; readonly jobId: string; readonly news: ChildNews }
  | { readonly kind: 'run'; readonly tasks: TaskColumns }
  /** Memory for the next large result. */
  | { readonly kind: 'offer'; readonly loan: Loan }
  /** Memory is nearly full: what is not used any more is given back. */
  | { readonly kind: 'collect' }
  | { readonly kind: 'stop'; readonly key: string; readonly reason: string }
  | { readonly kind: 'answer'; readonly callId: number; readonly result?: unknown; readonly error?: CallError }

/** Why the main side could not do what it was asked. A refusal of the mesh has a code and a reason. */
export interface CallError {
  readonly message: string
  readonly code?: string
  readonly reason?: string
}

/** A line that a task wrote. */
export interface SlotLog {
  readonly taskId: string
  readonly attempt: number
  readonly level: string
  readonly text: string
  readonly atMs: number
}

/** What a task asks of its checkpoint. */
export type CheckpointCall =
  | {
      readonly kind: 'save'
      readonly info: { iteration?: number; cost?: number; labels?: Record<string, string> }
      readonly structure: Value
      readonly bytes: Bytes
      /** Of bytes that are only lent: to be given back when they have been read. */
      readonly lease?: Int32Array
    }
  | { readonly kind: 'load' }
  /** What was sampled while it ran; not its checkpoint, but as durable. */
  | { readonly kind: 'profile'; readonly structure: Value; readonly bytes: Bytes }

/** What a load is answered with. */
export interface LoadedCheckpoint extends SlotBody {
  readonly version: number
  readonly iteration?: number
  readonly cost?: number
  readonly labels: Readonly<Record<string, string>>
}

/** What a task asks of the mesh for the jobs that it submits. */
export type ChildCall =
  | {
      readonly kind: 'submit'
      readonly requestId: string
      readonly job: JobSpec
      readonly durability: Durability | undefined
      readonly blobs: readonly { readonly digest: string; readonly bytes: Bytes }[]
    }
  | { readonly kind: 'fetch'; readonly objectId: string; readonly result: Result }
  | { readonly kind: 'cancel'; readonly jobId: string; readonly indices: readonly number[] }
  | { readonly kind: 'release'; readonly objectIds: readonly string[] }

/** What is told of a job that a task submitted. */
export type ChildNews =
  | { readonly kind: 'settled'; readonly tasks: readonly TaskSettled[] }
  | { readonly kind: 'reopened'; readonly index: number }
  | { readonly kind: 'lost'; readonly code: string; readonly reason: string; readonly message: string }

/** What a slot's thread says of memory that the main side lends. */
export type MemoryNews =
  /** It has mapped this, which is the main side's when it has ended. */
  { readonly kind: 'mapped'; readonly area: Loan } | { readonly kind: 'gaveBack'; readonly at: bigint }

/** What a slot says to the worker's main side. */
export type FromSlot = SlotNews | MemoryNews

/** The same without what is said of memory. */
export type SlotNews =
  | SlotTurn
  /** The task does nothing but wait for tasks that it submitted: the slot takes no tasks until it hears `resume`. */
  | { readonly kind: 'awaits'; readonly key: string; readonly wait: number }
  | { readonly kind: 'woke'; readonly key: string; readonly wait: number }
  | { readonly kind: 'child'; readonly callId: number; readonly key: string; readonly call: ChildCall }
  | { readonly kind: 'dropped'; readonly key: string; readonly claim: number }
  /** An error that nobody caught: the process is about to end. */
  | { readonly kind: 'broken'; readonly failure: TaskFailure }
  | {
      readonly kind: 'progress'
      readonly taskId: string
      readonly fraction: number
      readonly message?: string
      readonly iteration?: number
      readonly cost?: number
    }
  | { readonly kind: 'log'; readonly line: SlotLog }
  | { readonly kind: 'span'; readonly line: string }
  | { readonly kind: 'checkpoint'; readonly callId: number; readonly key: string; readonly call: CheckpointCall }
