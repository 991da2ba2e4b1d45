/** Where the nonzeros of a matrix are; their values come apart, float64[rows.length], in the same order. */
export interface Pattern {
  readonly rows: Int32Array
  readonly columns: Int32Array
}

/** out += A x. */
export function multiplyPattern(pattern: Pattern, values: Float64Array, x: Float64Array, out: Float64Array): void {
  const { rows, columns } = pattern
  for (let e = 0; e < values.length; e++) {
    const row = rows[e]!
    out[row] = out[row]! + values[e]! * x[columns[e]!]!
  }
}

/** out += factor · Aᵀ y. */
export function multiplyPatternTransposed(
  pattern: Pattern,
  values: Float64Array,
  y: Float64Array,
  out: Float64Array,
  factor: number,
): void {
  const { rows, columns } = pattern
  for (let e = 0; e < values.length; e++) {
    const column = columns[e]!
    out[column] = out[column]! + factor * values[e]! * y[rows[e]!]!
  }
}

/** out += H x for a symmetric H of which the lower triangle is given. */
export function multiplySymmetric(pattern: Pattern, values: Float64Array, x: Float64Array, out: Float64Array): void {
  const { rows, columns } = pattern
  for (let e = 0; e < values.length; e++) {
    const row = rows[e]!
    const column = columns[e]!
    out[row] = out[row]! + values[e]! * x[column]!
    if (row !== column) out[column] = out[column]! + values[e]! * x[row]!
  }
}
