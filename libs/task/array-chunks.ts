import { parseBytes } from '#libs/domain'

import { Complex128Array, isComplexArray } from './complex-array.js'
import { isNdArray, type NdArray, type NumericArray } from './nd-array.js'

/** In which pieces an array is brought back. */
export interface ChunkOptions {
  /** How long a piece is at most, in bytes or as `'64MB'`; `'16MB'` unless given. The program holds three of them at a time. */
  readonly chunkBytes?: number | string
}

/** What the pieces of an array are: arrays of its element type. */
export type ChunkOf<R> = R extends NdArray<infer Data> ? Data : R extends NumericArray ? R : NumericArray

/** Brings an array that is elsewhere in pieces of at most so many bytes, in order; nothing for a value that is here. */
export type ArrayStream = (chunkBytes: number) => AsyncGenerator<NumericArray, void> | undefined

const usualChunkBytes = '16MB'

/** How long pieces are, in bytes. @throws RangeError for a length that makes no sense. */
export function chunkBytesOf({ chunkBytes = usualChunkBytes }: ChunkOptions): number {
  return parseBytes(chunkBytes, 'chunkBytes')
}

/** How many elements of so many bytes a piece has. @throws RangeError when it has none. */
export function chunkLengthOf(chunkBytes: number, elementBytes: number): number {
  const length = Math.floor(chunkBytes / elementBytes)
  if (length >= 1) return length
  throw new RangeError(`chunks: chunkBytes is ${chunkBytes}, but an element has ${elementBytes} bytes`)
}

/**
 * An array that is here, in pieces: views of it.
 *
 * @throws TypeError for a value that is no numeric array.
 */
export function* chunksOfValue(value: unknown, chunkBytes: number, what: string): Generator<NumericArray, void> {
  const numbers = numbersOf(value)
  if (numbers === undefined) throw notAnArray(what)
  const elementBytes = isComplexArray(numbers) ? Complex128Array.BYTES_PER_ELEMENT : numbers.BYTES_PER_ELEMENT
  const length = chunkLengthOf(chunkBytes, elementBytes)
  for (let start = 0; start < numbers.length; start += length) yield slice(numbers, start, start + length)
}

function numbersOf(value: unknown): NumericArray | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  if (isNdArray(value)) return value.data
  if (isComplexArray(value)) return value
  return ArrayBuffer.isView(value) && !(value instanceof DataView) ? (value as NumericArray) : undefined
}

/** Why a value has no chunks. */
export function notAnArray(what: string): TypeError {
  return new TypeError(`chunks: ${what} is no numeric array, but a value that is only whole: ask for its result()`)
}

function slice(numbers: NumericArray, start: number, end: number): NumericArray {
  if (isComplexArray(numbers)) return new Complex128Array(numbers.data.subarray(2 * start, 2 * end))
  return numbers.subarray(start, end)
}
