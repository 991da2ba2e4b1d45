import { type Failure, type Result, type Task, TaskState, Value } from '#libs/proto'
import { xxh64Of } from '#libs/transfer'
import { encodePayload, type EncodedValue } from '#libs/value'

/** How a task ended in this process. */
export type Rerun =
  | { readonly kind: 'finished'; readonly result: EncodedValue }
  | { readonly kind: 'failed'; readonly errorName: string; readonly message: string }

/** How two ends of the same task compare. */
export interface Comparison {
  /** `unsettled`: there is nothing to compare with. */
  readonly verdict: 'same' | 'different' | 'unsettled'
  readonly text: string
}

/** Compares how a task ended here with how it ended in the mesh. */
export function compareEnds({ state, result, failure, workerId, attempt }: Task, rerun: Rerun): Comparison {
  const there = `on ${workerId || 'the mesh'} (attempt ${attempt})`
  if (state === TaskState.FINISHED && result) {
    if (rerun.kind === 'failed') return different(`it finished ${there}, and failed here`)
    return isSame(result, rerun.result)
      ? { verdict: 'same', text: `the result is the one that it had ${there}, bit for bit` }
      : different(`it finished ${there} too, with another result`)
  }
  if (failure && (state === TaskState.FAILED || state === TaskState.CANCELLED)) {
    const told = `${nameOf(failure)}: ${failure.message}`
    if (rerun.kind === 'finished') return different(`it failed ${there} with ${told}, and finished here`)
    return rerun.message === failure.message && rerun.errorName === failure.errorName
      ? { verdict: 'same', text: `it failed ${there} in the same way` }
      : different(`it failed ${there} in another way, with ${told}`)
  }
  return { verdict: 'unsettled', text: 'it is not settled in the mesh: there is nothing to compare with' }
}

function different(text: string): Comparison {
  return { verdict: 'different', text }
}

function nameOf({ errorName, reason }: Failure): string {
  return errorName || reason
}

function isSame({ location }: Result, mine: EncodedValue): boolean {
  switch (location?.$case) {
    case 'payload':
      return Buffer.compare(encodePayload(mine), location.value) === 0
    case 'object': {
      const { byteLength, xxh64, structure } = location.value
      return (
        BigInt(mine.byteLength) === byteLength &&
        xxh64Of(mine.segments) === xxh64 &&
        Buffer.compare(bytesOf(mine.root), bytesOf(structure)) === 0
      )
    }
    case undefined:
      return false
    default:
      return location satisfies never
  }
}

function bytesOf(structure: Value | undefined): Uint8Array {
  return structure === undefined ? new Uint8Array(0) : Value.encode(structure).finish()
}
