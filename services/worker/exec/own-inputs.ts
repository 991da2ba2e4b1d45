import { isSegmented, wholeOf } from '#libs/memory'
import { type InputBody, type InputValue, type InputValues, isInSharedMemory, sharedCopyOf } from '#libs/submission'

import type { LentInput } from './borrowed-memory.js'
import type { SlotLoans } from './slot-loans.js'
import { inMessage } from './message-bytes.js'

/** A message between threads copies less than this as fast. */
const leastBytes = 2 ** 20

/**
 * The inputs of a task, with copies of the large ones, whose buffers are added to `buffers`: a message that hands them over copies
 * nothing. By itself it would copy each twice into fresh memory, once into the message and once out of it. What was fetched itself
 * stays here: a slot that is lost takes what it was given with it, and what has not begun there is run in the next one. The largest go
 * into memory that is lent, where it can be; of what has more than a segment the task makes its copy itself, in its thread.
 */
export function copyLargeInputs(inputs: InputValues, buffers: ArrayBuffer[], memory?: SlotLoans): InputValues {
  if (![...inputs.values()].some(isLarge)) return inputs
  return new Map(
    [...inputs].map(([name, input]): [string, InputValue] => {
      if (!isLarge(input)) return [name, input]
      if (isSegmented(input.bytes)) return [name, inMessage({ ...input, bytes: sharedCopyOf(input.bytes) })]
      const held = wholeOf(input.bytes)
      const loan = memory?.lendCopy(held)
      if (loan) {
        const lent: LentInput = { ...input, bytes: new Uint8Array(0), loan }
        return [name, lent]
      }
      const bytes = new Uint8Array(held)
      buffers.push(bytes.buffer)
      return [name, { ...input, bytes }]
    }),
  )
}

function isLarge(input: InputValue): input is InputBody {
  if (input.kind === 'payload') return false
  const { bytes } = input
  return isSegmented(bytes) || (bytes.byteLength >= leastBytes && !isInSharedMemory(bytes))
}
