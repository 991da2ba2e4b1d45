/** A shift and a scale for each column. */
export interface Scaling {
  /** float64[columns]. */
  readonly mean: Float64Array
  /** float64[columns]: population standard deviations, 1 for a column that never changes. */
  readonly deviation: Float64Array
}

/**
 * The scaling that gives each column mean 0 and (population) variance 1.
 * @param x float64[rows, columns], row-major.
 * @throws RangeError when x has no rows of that width.
 */
export function fitScaling(x: Float64Array, columns: number): Scaling {
  const rows = countRows('x', x, columns)
  const mean = new Float64Array(columns)
  const deviation = new Float64Array(columns)
  for (let j = 0; j < columns; j++) {
    for (let row = 0; row < rows; row++) mean[j] = mean[j]! + x[row * columns + j]! / rows
    for (let row = 0; row < rows; row++) deviation[j] = deviation[j]! + (x[row * columns + j]! - mean[j]!) ** 2 / rows
    deviation[j] = Math.sqrt(deviation[j]!) || 1
  }
  return { mean, deviation }
}

/** @returns float64[rows, columns]. */
export function applyScaling({ mean, deviation }: Scaling, x: Float64Array): Float64Array {
  const columns = mean.length
  countRows('x', x, columns)
  return x.map((value, at) => (value - mean[at % columns]!) / deviation[at % columns]!)
}

/** @throws RangeError when there are none. */
export function countRows(name: string, x: Float64Array, columns: number): number {
  if (!Number.isSafeInteger(columns) || columns < 1) {
    throw new RangeError(`columns is ${columns}; it must be a whole number above 0`)
  }
  const rows = x.length / columns
  if (!Number.isInteger(rows) || rows === 0) {
    throw new RangeError(`${name} has ${x.length} values, which makes no rows of ${columns}`)
  }
  return rows
}
