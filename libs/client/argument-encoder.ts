import { createHash } from 'node:crypto'

import type { Reference } from '#libs/proto'
import { encodePayload, encodeValue, joinSegments } from '#libs/value'

import { TaskFuture } from './future.js'
import { ScatteredObject } from './scattered-object.js'

/** Arrays longer than this go to the checkpoint-store as blobs instead of into the submit. */
const maxInlineArrayBytes = 32 * 1024

/** A large array on its way to the checkpoint-store. */
export interface Blob {
  readonly digest: string
  readonly bytes: Buffer
}

/** Turns the arguments of a job's tasks into wire values, and collects the large arrays in them. */
export interface ArgumentEncoder {
  /** The serialized `costate.types.v1.Payload` of the arguments. */
  encode(args: readonly unknown[], taskName: string): Buffer
  readonly blobs: ReadonlyMap<string, Blob>
}

export function createArgumentEncoder(): ArgumentEncoder {
  const blobs = new Map<string, Blob>()
  // The same array as an argument of a thousand tasks is digested once.
  const known = new Map<object, Reference>()

  function findReference(value: object): Reference | undefined {
    if (value instanceof TaskFuture || value instanceof ScatteredObject) {
      return { target: { $case: 'objectId', value: value.id } }
    }
    if (!ArrayBuffer.isView(value) || value.byteLength <= maxInlineArrayBytes) return undefined
    const reference = known.get(value) ?? putAside(value)
    known.set(value, reference)
    return reference
  }

  function putAside(array: ArrayBufferView): Reference {
    const encoded = encodeValue(array, 'an argument')
    // A copy: the program may go on to change its array before it is sent.
    const bytes = Buffer.from(joinSegments(encoded))
    const digest = createHash('sha256').update(bytes).digest('hex')
    blobs.set(digest, { digest, bytes })
    const blob = { digest, structure: encoded.root, byteLength: BigInt(bytes.byteLength) }
    return { target: { $case: 'blob', value: blob } }
  }

  return {
    blobs,
    encode: (args, taskName) =>
      encodePayload(encodeValue([...args], `the arguments of task ${taskName}`, findReference)) as Buffer,
  }
}
