import { parseBytes } from '#libs/domain'
import type { TypedArray } from '#libs/task'

import type { ChunkedScatterOptions, ScatterOptions } from './cluster.js'

/**
 * What is scattered as several objects; nothing when it is to be one.
 *
 * @throws RangeError for an array that can only be scattered in parts; TypeError for parts of what is no typed array.
 */
export function partsOf(
  value: unknown,
  options: ScatterOptions | ChunkedScatterOptions,
): AsyncIterable<unknown> | Iterable<unknown> | undefined {
  if (isAsyncIterable(value)) return value
  if ('chunkBytes' in options) {
    if (isTypedArray(value)) return split(value, parseBytes(options.chunkBytes, 'chunkBytes'))
    throw new TypeError('scatter: only a typed array is scattered in parts; give other values as an async iterable')
  }
  return undefined
}

function split(array: TypedArray, chunkBytes: number): TypedArray[] {
  const length = Math.floor(chunkBytes / array.BYTES_PER_ELEMENT)
  if (length < 1) {
    throw new RangeError(`scatter: chunkBytes is ${chunkBytes}: an element has ${array.BYTES_PER_ELEMENT} bytes`)
  }
  const starts = Array.from({ length: Math.ceil(array.length / length) }, (_, part) => part * length)
  return starts.map((start) => array.subarray(start, start + length))
}

function isTypedArray(value: unknown): value is TypedArray {
  return ArrayBuffer.isView(value) && !(value instanceof DataView)
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value
}
