import type { JobId, ObjectId } from '#libs/domain'

import type { ResultLocation } from '../../services/scheduler/core/state.js'

/** What is said of a task when it is planned. */
export type TaskPlan = Pick<Plan, 'inputs' | 'runMs' | 'fails' | 'flaws' | 'exits' | 'large'> &
  Partial<Pick<Plan, 'children'>>

/** What a task does when it runs, and what must come out of it. */
export interface Plan {
  readonly taskId: ObjectId
  readonly inputs: readonly ObjectId[]
  readonly runMs: number
  readonly fails: boolean
  /** So many runs fail before the first that does not. */
  readonly flaws: number
  /** It ends the thread that it runs in. */
  readonly exits: boolean
  /** Its result is held by the worker instead of travelling in the report. */
  readonly large: boolean
  /** The right value; nothing when the task or one of its ancestors fails. */
  readonly expected: number | undefined
  /** The job that it submits in the middle of its run and waits for; nothing for most. */
  readonly children: PlannedJob | undefined
  /** Whether it takes a scattered buffer, or something made from one, which may be lost for good. */
  readonly perishable: boolean
}

/** A job that a task submits: each of its attempts the same. */
export interface PlannedJob {
  readonly jobId: JobId
  readonly taskIds: readonly ObjectId[]
}

/** What all tasks of a simulation do, and what all buffers hold. */
export class Workload {
  readonly #plans = new Map<ObjectId, Plan>()
  readonly #buffers = new Map<ObjectId, number>()
  readonly #runs = new Map<ObjectId, number>()
  /** Tasks that heard of the failure of one that they had submitted, or could not wait for it. */
  readonly disappointed = new Set<ObjectId>()

  addBuffer(objectId: ObjectId): number {
    const value = hashText(objectId)
    this.#buffers.set(objectId, value)
    return value
  }

  addTask(taskId: ObjectId, own: TaskPlan): Plan {
    const plan = { children: undefined, ...own }
    const takes = [...plan.inputs, ...(plan.children?.taskIds ?? [])]
    const values = takes.map((input) => this.valueOf(input))
    const fails = plan.fails || plan.exits || values.includes(undefined)
    const expected = fails ? undefined : compute(taskId, values as number[])
    const perishable = takes.some((input) => this.#buffers.has(input) || this.#plans.get(input)?.perishable === true)
    const whole: Plan = { ...plan, taskId, expected, perishable }
    this.#plans.set(taskId, whole)
    return whole
  }

  /** A task runs to its end; whether it throws there. */
  throws(taskId: ObjectId): boolean {
    const runs = (this.#runs.get(taskId) ?? 0) + 1
    this.#runs.set(taskId, runs)
    const { fails, flaws } = this.planOf(taskId)
    return fails || runs <= flaws
  }

  planOf(taskId: ObjectId): Plan {
    const plan = this.#plans.get(taskId)
    if (plan === undefined) throw new Error(`${taskId} was never planned`)
    return plan
  }

  valueOf(objectId: ObjectId): number | undefined {
    return this.#buffers.get(objectId) ?? this.#plans.get(objectId)?.expected
  }
}

/** The result of a task: it depends on the task and on every input. */
export function compute(taskId: ObjectId, inputs: readonly number[]): number {
  return inputs.reduce((value, input) => Math.imul(value ^ input, 0x9e3779b1) >>> 0, hashText(taskId))
}

export function encodeResult(value: number, large: boolean): ResultLocation {
  const bytes = bytesOf(value)
  return large ? { kind: 'object', descriptor: bytes, byteLength: sizeOf(value) } : { kind: 'inline', payload: bytes }
}

/** What an object is said to weigh: most are worth a wait for their holder. */
export function sizeOf(value: number): number {
  return value % 3 === 0 ? 1_000 : 4_000_000_000
}

export function decodeResult(
  result: ResultLocation | { readonly kind: 'payload'; readonly payload: Uint8Array },
): number {
  const bytes = result.kind === 'object' ? result.descriptor : result.payload
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)
}

export function bytesOf(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value)
  return bytes
}

export function taskIdIn(jobId: JobId, index: number): ObjectId {
  return `${jobId}/${index}` as ObjectId
}

function hashText(text: string): number {
  let hash = 2_166_136_261
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 16_777_619) >>> 0
  return hash
}
