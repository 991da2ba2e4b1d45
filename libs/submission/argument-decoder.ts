import { Payload, type Reference } from '#libs/proto'
import type { Codecs } from '#libs/task'
import { decodePayload, decodeValue, nameOfReference } from '#libs/value'

import { InputWatch } from './input-watch.js'
import { type InputValues, isInSharedMemory } from './task-inputs.js'

/** What a task is called with. */
export interface TaskArguments {
  readonly values: readonly unknown[]
  /** Sees what the task does to the inputs that it shares, when that is to be seen. */
  readonly watch: InputWatch | undefined
}

/** Whose arguments they are, and how they are put together. */
export interface DecodedFor {
  /** What messages call the task: its name and id. */
  readonly what: string
  readonly jobId: string
  /** Those of the task's module. */
  readonly codecs: Codecs
  readonly verifyInputs: boolean
  /** Whether the inputs belong to the task alone, but for those in shared memory: then they need no copy. */
  readonly areOwned: boolean
}

/**
 * Puts a task's arguments together. What the task does to them nobody else sees, but for the inputs that it shares.
 *
 * @throws CodecError when the task's module lacks a codec, or one throws.
 */
export function decodeArguments(payload: Uint8Array, inputs: InputValues, task: DecodedFor): TaskArguments {
  const { what, jobId, codecs, verifyInputs, areOwned } = task
  const watch = verifyInputs ? new InputWatch(what) : undefined
  /** What is viewed already: where it stands again among the arguments, it is another copy. */
  const viewed = new Set<string>()
  const resolve = (reference: Reference): unknown => {
    const name = nameOfReference(reference, jobId)
    const input = inputs.get(name)
    if (input === undefined) throw new Error(`input ${name} was not fetched`)
    const options = { codecs, what: `input ${name} of ${what}` }
    const isShared = reference.shared ?? false
    if (isShared && watch) {
      const { structure, bytes } = watch.open(name, input)
      return decodeValue(structure, bytes, { ...options, view: true })
    }
    if (input.kind === 'payload') return decodePayload(input.payload, options)
    const view = isInSharedMemory(input.bytes) ? isShared : areOwned && !viewed.has(name)
    if (view) viewed.add(name)
    return decodeValue(input.structure, input.bytes, { ...options, view })
  }
  const { root, body } = Payload.decode(payload)
  const values = decodeValue(root, body, { resolve, codecs, what: `an argument of ${what}` }) as unknown[]
  return { values, watch }
}
