import { Payload } from '#libs/proto'
import { inspectValue, nameOfReference } from '#libs/value'

import type { InputValue, InputValues } from './task-inputs.js'

/** What was copied into memory that all threads see; it goes with the bytes that it is a copy of. */
const copies = new WeakMap<Uint8Array, Uint8Array>()

/**
 * The inputs of a task, with those that it shares in memory that all threads see: one copy for all tasks instead of one for
 * each. `payload` are the task's arguments.
 */
export function shareInputs(payload: Uint8Array, jobId: string, inputs: InputValues): InputValues {
  if (![...inputs.values()].some(({ kind }) => kind === 'body')) return inputs
  const names = sharedNamesOf(payload, jobId)
  if (names.size === 0) return inputs
  return new Map([...inputs].map(([name, each]) => [name, names.has(name) ? shareInput(each) : each]))
}

function shareInput(input: InputValue): InputValue {
  return input.kind === 'payload' ? input : { ...input, bytes: sharedCopyOf(input.bytes) }
}

function sharedCopyOf(bytes: Uint8Array): Uint8Array {
  let copy = copies.get(bytes)
  if (copy === undefined) {
    copy = new Uint8Array(new SharedArrayBuffer(bytes.byteLength))
    copy.set(bytes)
    copies.set(bytes, copy)
  }
  return copy
}

function sharedNamesOf(payload: Uint8Array, jobId: string): Set<string> {
  const names = new Set<string>()
  const { root, body } = Payload.decode(payload)
  inspectValue(root, body.byteLength, (reference) => {
    if (reference.shared) names.add(nameOfReference(reference, jobId))
  })
  return names
}
