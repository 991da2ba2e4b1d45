import { isComplexArray } from './complex-array.js'
import { TaskFuture } from './future.js'
import { isNdArray, type NdArray, type NumericArray } from './nd-array.js'
import { ScatteredObject } from './scattered-object.js'

/** Every copy of the class marks its instances with the same symbol: a bundle brings a copy of its own. */
const sharedBrand = Symbol.for('costate.SharedInput')

/** An input of which the task promises to change nothing. */
export class SharedInput<T> {
  /** @internal Carries the value's type. */
  declare readonly valueType: T
  readonly input: object

  /** @internal `shared()` makes them. */
  constructor(input: object) {
    this.input = input
    Object.defineProperty(this, sharedBrand, { value: true })
  }
}

/**
 * Makes an argument one that the task only reads: instead of a copy of its own it gets a view of what the worker holds, where
 * that is possible. Arrays in it then lie in a SharedArrayBuffer, which all tasks of the worker that share the input have in
 * common; so a task must not change them, and must not count on them after it has ended. A worker started with
 * `--verify-inputs` fails a task that does.
 *
 *     cluster.map(cost, candidates.map(…), candidates.map(() => shared(observations)))
 *
 * @param input a future, a scattered object, or an array.
 * @throws TypeError for anything else: scatter it, and share what scatter returns.
 */
export function shared<T>(
  input: TaskFuture<T> | ScatteredObject<T> | (T & (NumericArray | NdArray<NumericArray>)),
): SharedInput<T> {
  if (isSharable(input)) return new SharedInput<T>(input)
  throw new TypeError(
    'shared() takes a future, a scattered object or an array: scatter the value, and share what scatter returns',
  )
}

function isSharable(input: unknown): input is object {
  if (typeof input !== 'object' || input === null) return false
  if (input instanceof TaskFuture || input instanceof ScatteredObject) return true
  return ArrayBuffer.isView(input) || isComplexArray(input) || isNdArray(input)
}

/** Whether the value was made by `shared()`, of whichever copy of the library. */
export function isSharedInput(value: object): value is SharedInput<unknown> {
  return sharedBrand in value
}
