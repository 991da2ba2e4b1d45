import { type Complex, Complex128Array, isComplexArray } from './complex-array.js'

/** Any numeric typed array. */
export type TypedArray =
  | Float64Array
  | Float32Array
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array

/** What an array with a shape lies over. */
export type NumericArray = TypedArray | Complex128Array

/** What an element of the array is. */
export type ElementOf<T extends NumericArray> = T extends Complex128Array
  ? Complex
  : T extends BigInt64Array | BigUint64Array
    ? bigint
    : number

/** Every copy of the class marks its instances with the same symbol: a bundle brings a copy of its own. */
const ndArrayBrand = Symbol.for('costate.NdArray')

/**
 * A typed array, or a complex one, with a shape, row-major: the last index moves fastest. For matrices, tensors and, with shape
 * [], a scalar that keeps its element type. A vector needs no NdArray: it is a typed array.
 */
export class NdArray<T extends NumericArray = TypedArray> {
  readonly data: T
  readonly shape: readonly number[]

  /**
   * @param data the elements, row by row; kept, not copied.
   * @param shape lengths of the axes.
   * @throws RangeError when the shape doesn't multiply to `data.length`.
   */
  constructor(data: T, shape: readonly number[]) {
    if (!isNumericArray(data)) {
      throw new TypeError('NdArray: data must be a typed array, for example a Float64Array, or a Complex128Array')
    }
    const bad = shape.find((length) => !Number.isSafeInteger(length) || length < 0)
    if (bad !== undefined) throw new RangeError(`NdArray: shape [${shape.join(', ')}] has an axis of length ${bad}`)
    const elements = shape.reduce((product, length) => product * length, 1)
    if (elements !== data.length) {
      throw new RangeError(`NdArray: shape [${shape.join(', ')}] has ${elements} elements, data has ${data.length}`)
    }
    this.data = data
    this.shape = Object.freeze([...shape])
    Object.defineProperty(this, ndArrayBrand, { value: true })
  }

  /** Number of axes. */
  get rank(): number {
    return this.shape.length
  }

  /**
   * The element at the index, one number per axis.
   * @throws RangeError when the index has another rank or lies outside the shape.
   */
  get(...index: number[]): ElementOf<T> {
    const { data } = this
    const offset = this.offset(...index)
    return (isComplexArray(data) ? data.get(offset) : data[offset]) as ElementOf<T>
  }

  /** Sets the element at the index. Throws as `get` does. */
  set(value: ElementOf<T>, ...index: number[]): void {
    const { data } = this
    const offset = this.offset(...index)
    if (isComplexArray(data)) data.set(value as Complex, offset)
    else data[offset] = value as never
  }

  /** Where in `data` the element at the index lies. Throws as `get` does. */
  offset(...index: number[]): number {
    if (index.length !== this.shape.length) {
      throw new RangeError(`NdArray: index [${index.join(', ')}] into an array of shape [${this.shape.join(', ')}]`)
    }
    let offset = 0
    for (let axis = 0; axis < index.length; axis++) {
      const at = index[axis]!
      const length = this.shape[axis]!
      if (!Number.isInteger(at) || at < 0 || at >= length) {
        throw new RangeError(`NdArray: index [${index.join(', ')}] lies outside shape [${this.shape.join(', ')}]`)
      }
      offset = offset * length + at
    }
    return offset
  }
}

function isNumericArray(data: unknown): boolean {
  if (ArrayBuffer.isView(data)) return !(data instanceof DataView)
  return typeof data === 'object' && data !== null && isComplexArray(data)
}

/** Whether the value is an NdArray of any copy of the class. */
export function isNdArray(value: object): value is NdArray<NumericArray> {
  return ndArrayBrand in value
}
