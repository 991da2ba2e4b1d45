import { type Bytes, copyBytes } from '#libs/memory'
import { Payload } from '#libs/proto'
import { inspectValue, nameOfReference } from '#libs/value'

import { type InputValue, type InputValues, isInSharedMemory } from './task-inputs.js'

/** What was copied into memory that all threads see; it goes with the bytes that it is a copy of. */
const copies = new WeakMap<Bytes, Bytes>()

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

/** What has more than a segment mostly is in such memory from the beginning. */
export function sharedCopyOf(bytes: Bytes): Bytes {
  if (isInSharedMemory(bytes)) return bytes
  let copy = copies.get(bytes)
  if (copy === undefined) {
    copy = copyBytes(bytes, new SharedArrayBuffer(bytes.byteLength))
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
