import type { Bytes } from '#libs/memory'
import type { Reference } from '#libs/proto'
import { type Codecs, isSharedInput, TaskFuture, type Job, ScatteredObject } from '#libs/task'
import {
  copySegments,
  type EncodedValue,
  encodePayload,
  encodeValue,
  nameOfPart,
  tensorByteLength,
  type ValueName,
} from '#libs/value'

import { sha256Of } from './sha-256.js'

/** Arrays longer than this go to the checkpoint-store as blobs instead of into the submit. */
const maxInlineArrayBytes = 32 * 1024
/** The scheduler takes no more for the arguments of a task. */
const maxArgumentsBytes = 2 ** 20

/** A large array on its way to the checkpoint-store. */
export interface Blob {
  readonly digest: string
  readonly bytes: Bytes<ArrayBuffer>
}

/** Turns the arguments of a job's tasks into wire values, and collects the large arrays in them. */
export interface ArgumentEncoder {
  /**
   * The serialized `costate.types.v1.Payload` of the arguments.
   *
   * @throws RangeError when the arguments are too large without their arrays; it names the one that is.
   */
  encode(args: readonly unknown[], taskName: string): Buffer
  readonly blobs: ReadonlyMap<string, Blob>
}

/** Who the arguments are for. */
export interface ArgumentsFor {
  /** The job of the tasks, while it is being built. */
  readonly job?: Job
  /** Those of this program unless given. */
  readonly codecs?: Codecs
}

export function createArgumentEncoder({ job, codecs }: ArgumentsFor = {}): ArgumentEncoder {
  const blobs = new Map<string, Blob>()
  // The same array as an argument of a thousand tasks is digested once.
  const known = new Map<object, Reference>()
  const options = { codecs, findReference }

  function findReference(value: object): Reference | undefined {
    if (isSharedInput(value)) {
      // Also a small array: what travels with the other arguments is the task's own.
      const { input } = value
      const reference = findReference(input) ?? putAside(input, encodeValue(input, 'an argument'))
      return { ...reference, shared: true }
    }
    if (value instanceof TaskFuture) value.checkArgumentOf(job)
    const reference = referenceTo(value) ?? known.get(value)
    if (reference || (tensorByteLength(value) ?? 0) <= maxInlineArrayBytes) return reference
    return putAside(value, encodeValue(value, 'an argument'))
  }

  function putAside(value: object, encoded: EncodedValue): Reference {
    // A copy: the program may go on to change its array before it is sent.
    const bytes = copySegments(encoded)
    const digest = sha256Of([bytes])
    blobs.set(digest, { digest, bytes })
    const blob = { digest, structure: encoded.root, byteLength: BigInt(bytes.byteLength) }
    const reference: Reference = { target: { $case: 'blob', value: blob } }
    known.set(value, reference)
    return reference
  }

  /** Many small arrays are as much as a large one: the arrays of an argument go into one blob. */
  function putArraysAside(args: readonly unknown[], taskName: string): void {
    for (const [index, arg] of args.entries()) {
      if (typeof arg !== 'object' || arg === null || findReference(arg)) continue
      const references: Reference[] = []
      const note = (value: object): Reference | undefined => {
        const reference = referenceTo(isSharedInput(value) ? value.input : value)
        if (reference) references.push(reference)
        return reference
      }
      const encoded = encodeValue(arg, argumentOf(index, taskName), { codecs, findReference: note })
      // A value in a blob cannot refer to another object.
      if (references.length === 0 && encoded.byteLength > maxInlineArrayBytes) putAside(arg, encoded)
    }
  }

  function refuseTooLarge(args: readonly unknown[], taskName: string): never {
    const sizes = args.map((arg) => encodePayload(encodeValue(arg, 'an argument', options)).byteLength)
    const largest = sizes.indexOf(Math.max(...sizes))
    const megabytes = ((sizes[largest] ?? 0) / 1e6).toFixed(1)
    throw new RangeError(
      `${argumentOf(largest, taskName)} takes ${megabytes} MB besides its large arrays, and all arguments of a task ` +
        `together may take ${maxArgumentsBytes / 2 ** 20} MiB: pass numbers as typed arrays, text as bytes ` +
        '(new TextEncoder().encode(text)), or scatter the value and pass what scatter returns',
    )
  }

  return {
    blobs,
    encode: (args, taskName) => {
      const encode = (): Buffer => encodePayload(encodeValue([...args], nameOfArgument(taskName), options)) as Buffer
      const payload = encode()
      if (payload.byteLength <= maxArgumentsBytes) return payload
      putArraysAside(args, taskName)
      const smaller = encode()
      return smaller.byteLength <= maxArgumentsBytes ? smaller : refuseTooLarge(args, taskName)
    },
  }
}

/** What stands for a value that is in the mesh already. */
function referenceTo(value: object): Reference | undefined {
  if (!(value instanceof TaskFuture || value instanceof ScatteredObject)) return undefined
  return { target: { $case: 'objectId', value: value.id } }
}

function argumentOf(index: number, taskName: string): string {
  return `argument ${index} of task ${taskName}`
}

/** How messages name an argument, or a part of it: `argument 0 of task f, at .x,`. */
export function nameOfArgument(taskName: string): ValueName {
  return ([index = 0, ...path]) => nameOfPart(argumentOf(Number(index), taskName), path)
}
