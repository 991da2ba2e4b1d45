/** A complex number. */
export interface Complex {
  readonly re: number
  readonly im: number
}

/** Every copy of the class marks its instances with the same symbol: a bundle brings a copy of its own. */
const complexArrayBrand = Symbol.for('costate.Complex128Array')

/**
 * Complex numbers of twice 64 bits (`complex128`): in `data` the real and the imaginary part of each lie one behind the other,
 * as in NumPy, FFTW and LAPACK. A vector is one of these; matrices and tensors are `new NdArray(complexArray, shape)`, whose shape
 * counts complex numbers.
 */
export class Complex128Array implements Iterable<Complex> {
  static readonly BYTES_PER_ELEMENT = 16
  /** re₀, im₀, re₁, im₁, … */
  readonly data: Float64Array

  /**
   * @param source how many complex numbers, all 0; or their parts, which are kept, not copied.
   * @throws RangeError when the parts are an odd number, or the length is none.
   */
  constructor(source: number | Float64Array) {
    if (typeof source === 'number') {
      if (!Number.isSafeInteger(source) || source < 0) throw new RangeError(`Complex128Array: ${source} is no length`)
      this.data = new Float64Array(2 * source)
    } else {
      if (Object.prototype.toString.call(source) !== '[object Float64Array]') {
        throw new TypeError('Complex128Array: give a length, or a Float64Array of real and imaginary parts')
      }
      if (source.length % 2 !== 0) {
        throw new RangeError(`Complex128Array: ${source.length} parts are no pairs of a real and an imaginary one`)
      }
      this.data = source
    }
    Object.defineProperty(this, complexArrayBrand, { value: true })
  }

  /** The complex numbers in an array of their own. */
  static from(numbers: Iterable<Complex>): Complex128Array {
    return new Complex128Array(Float64Array.from([...numbers].flatMap(({ re, im }) => [re, im])))
  }

  /** How many complex numbers. */
  get length(): number {
    return this.data.length / 2
  }

  /** The complex number at the index. Throws a RangeError outside the array. */
  get(index: number): Complex {
    const at = this.#placeOf(index)
    return { re: this.data[at]!, im: this.data[at + 1]! }
  }

  /** Sets the complex number at the index. Throws as `get` does. */
  set({ re, im }: Complex, index: number): void {
    const at = this.#placeOf(index)
    this.data[at] = re
    this.data[at + 1] = im
  }

  *[Symbol.iterator](): Iterator<Complex> {
    for (let index = 0; index < this.length; index++) yield this.get(index)
  }

  #placeOf(index: number): number {
    if (Number.isInteger(index) && index >= 0 && index < this.length) return 2 * index
    throw new RangeError(`Complex128Array: index ${index} lies outside an array of ${this.length}`)
  }
}

/** Whether the value is a Complex128Array of any copy of the class. */
export function isComplexArray(value: object): value is Complex128Array {
  return complexArrayBrand in value
}
