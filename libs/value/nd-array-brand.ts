import type { TypedArray } from './element-type.js'

/** What every copy of the NdArray class puts on its instances (the user's bundle has a copy of its own). */
export const ndArrayBrand = Symbol.for('costate.NdArray')

/** A typed array with a shape, of whichever copy of the class. */
export interface NdArrayLike {
  readonly data: TypedArray
  readonly shape: readonly number[]
}

/** Whether the value is an NdArray of any copy of the class. */
export function isNdArray(value: object): value is NdArrayLike {
  return ndArrayBrand in value
}
