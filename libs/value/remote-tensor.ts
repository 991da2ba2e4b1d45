import type { Bytes } from '#libs/memory'
import type { Value } from '#libs/proto'
import type { NumericArray } from '#libs/task'

import { arrayOver, elementByteLength } from './element-type.js'

/** A value that is a single numeric array, of which no element is here yet. */
export interface RemoteTensor {
  readonly elementBytes: number
  /** Where its elements are among the bytes of the value. */
  readonly offset: number
  readonly byteLength: number
  /** Elements that have come: a view of the bytes, which start at a multiple of 8. */
  view(bytes: Bytes<ArrayBuffer>): NumericArray
}

/** What a value's structure says of its elements; nothing when it is no numeric array. */
export function elementsOf(structure: Value | undefined): RemoteTensor | undefined {
  if (structure?.kind?.$case !== 'tensor') return undefined
  const { elementType, offset, byteLength } = structure.kind.value
  const elementBytes = elementByteLength(elementType)
  if (elementBytes === undefined) return undefined
  return {
    elementBytes,
    offset: Number(offset),
    byteLength: Number(byteLength),
    view: ({ buffer, byteOffset, byteLength: here }) => arrayOver(elementType, buffer, byteOffset, here / elementBytes),
  }
}
