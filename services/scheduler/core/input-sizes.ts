import type { TaskFailure, WorkerId } from '#libs/domain'

import type { Out } from './effect.js'
import { findObject, isScattered, objectIdOf } from './lookup.js'
import { failTask } from './outcome.js'
import type { State, Task } from './state.js'

/** What the inputs of a task weigh, and where they are. */
export interface InputSizes {
  /** Bytes that travel with the command: small inputs, and what large ones look like. */
  readonly inlineBytes: number
  /** Bytes that each holder has already. */
  readonly heldBytes: ReadonlyMap<WorkerId, number>
  /** Of all inputs that workers hold, together. */
  readonly byteLength: number
}

export const nothingHeld: ReadonlyMap<WorkerId, number> = new Map()

export function measureInputs(state: State, { spec }: Task): InputSizes {
  let inlineBytes = spec.input.byteLength
  if (spec.dependencies.length === 0) return { inlineBytes, heldBytes: nothingHeld, byteLength: 0 }
  const heldBytes = new Map<WorkerId, number>()
  let totalBytes = 0
  for (const objectId of new Set(spec.dependencies)) {
    const input = findObject(state, objectId)
    if (input === undefined) continue
    let byteLength: number
    if (isScattered(input)) {
      inlineBytes += input.descriptor.byteLength
      byteLength = input.byteLength
    } else {
      const { status } = input
      if (status.kind !== 'settled' || status.outcome.kind === 'failed') continue
      const { result } = status.outcome
      if (result.kind === 'inline') {
        inlineBytes += result.payload.byteLength
        continue
      }
      inlineBytes += result.descriptor.byteLength
      byteLength = result.byteLength
    }
    totalBytes += byteLength
    for (const workerId of input.holders ?? []) heldBytes.set(workerId, (heldBytes.get(workerId) ?? 0) + byteLength)
  }
  return { inlineBytes, heldBytes, byteLength: totalBytes }
}

export function refuseLarge(state: State, task: Task, { inlineBytes }: InputSizes, atMs: number, out: Out): boolean {
  if (inlineBytes <= state.policy.maxInlineInputBytes) return false
  failTask(state, task, tooLarge(state, task, inlineBytes), atMs, out)
  return true
}

function tooLarge({ policy }: State, task: Task, inlineBytes: number): TaskFailure {
  const message =
    `the small inputs of task ${objectIdOf(task)} have ${inlineBytes} bytes together, at most ` +
    `${policy.maxInlineInputBytes} are sent to one task: combine them in stages`
  return { kind: 'input', reason: 'INPUTS_TOO_LARGE', message, attempts: task.attempt }
}
