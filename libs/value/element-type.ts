import { ElementType } from '#libs/proto'
import { Complex128Array, type NumericArray, type TypedArray } from '#libs/task'

type TypedArrayConstructor = {
  readonly BYTES_PER_ELEMENT: number
  readonly name: string
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): TypedArray
}

const constructors = new Map<ElementType, TypedArrayConstructor>([
  [ElementType.FLOAT64, Float64Array],
  [ElementType.FLOAT32, Float32Array],
  [ElementType.INT8, Int8Array],
  [ElementType.UINT8, Uint8Array],
  [ElementType.INT16, Int16Array],
  [ElementType.UINT16, Uint16Array],
  [ElementType.INT32, Int32Array],
  [ElementType.UINT32, Uint32Array],
  [ElementType.INT64, BigInt64Array],
  [ElementType.UINT64, BigUint64Array],
])

const elementTypes = new Map<string, ElementType>([...constructors].map(([type, { name }]) => [name, type]))
// The clamped array differs only in how it is written.
elementTypes.set('Uint8ClampedArray', ElementType.UINT8)

/** The element type of a typed array (a Buffer is a Uint8Array), or nothing for a DataView. */
export function elementTypeOf(array: ArrayBufferView): ElementType | undefined {
  return elementTypes.get((array as unknown as { [Symbol.toStringTag]: string })[Symbol.toStringTag])
}

/** The size of an element in bytes, or nothing for a type that this side does not know. */
export function elementByteLength(type: ElementType): number | undefined {
  if (type === ElementType.COMPLEX128) return Complex128Array.BYTES_PER_ELEMENT
  return constructors.get(type)?.BYTES_PER_ELEMENT
}

/** An array of `type` over `length` elements of the buffer; the offset must be a multiple of the element size, at most of 8. */
export function arrayOver(
  type: ElementType,
  buffer: ArrayBufferLike,
  byteOffset: number,
  length: number,
): NumericArray {
  if (type === ElementType.COMPLEX128) return new Complex128Array(new Float64Array(buffer, byteOffset, 2 * length))
  const constructor = constructors.get(type)
  if (constructor === undefined) throw new RangeError(`element type ${type} is unknown here: upgrade this side`)
  return new constructor(buffer, byteOffset, length)
}
