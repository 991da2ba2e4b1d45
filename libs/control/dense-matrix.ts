import { Matrix } from 'ml-matrix'

/**
 * A small dense matrix from its rows.
 * @returns float64[rows, columns], row-major.
 * @throws RangeError when the rows are not all of one length.
 */
export function denseMatrix(rows: readonly (readonly number[])[]): Float64Array {
  const columns = rows[0]?.length ?? 0
  const odd = rows.findIndex((row) => row.length !== columns)
  if (odd >= 0) throw new RangeError(`row ${odd} has ${rows[odd]!.length} values; row 0 has ${columns}`)
  return Float64Array.from(rows.flat())
}

/** Row-major values as a matrix of the library. @throws RangeError naming the argument. */
export function readMatrix(name: string, values: Float64Array, rows: number, columns: number): Matrix {
  if (values.length !== rows * columns) {
    throw new RangeError(`${name} has ${values.length} values; the other arguments ask for ${rows} x ${columns}`)
  }
  const at = values.findIndex((value) => !Number.isFinite(value))
  if (at >= 0) throw new RangeError(`${name}[${at}] is ${values[at]!}; it must be a finite number`)
  return Matrix.from1DArray(rows, columns, values)
}

/** The rows of a square matrix. @throws RangeError when it is none. */
export function sizeOfSquare(name: string, values: Float64Array): number {
  const size = Math.round(Math.sqrt(values.length))
  if (size === 0 || size * size !== values.length) {
    throw new RangeError(`${name} has ${values.length} values; a square matrix is asked for`)
  }
  return size
}

/** @throws RangeError when a square matrix is not symmetric to rounding. */
export function readSymmetric(name: string, values: Float64Array, size: number): Matrix {
  const matrix = readMatrix(name, values, size, size)
  const skew = Matrix.sub(matrix, matrix.transpose()).norm()
  if (skew > 1e-10 * (1 + matrix.norm())) {
    throw new RangeError(`${name} is not symmetric: it differs from its transpose by ${skew.toExponential(1)}`)
  }
  return symmetrise(matrix)
}

/** float64[rows, columns], row-major. */
export function writeMatrix(matrix: Matrix): Float64Array {
  return Float64Array.from(matrix.to1DArray())
}

/** (M + Mᵀ) / 2. */
export function symmetrise(matrix: Matrix): Matrix {
  return Matrix.add(matrix, matrix.transpose()).mul(0.5)
}

/** [A, B; C, D]. */
export function joinBlocks(a: Matrix, b: Matrix, c: Matrix, d: Matrix): Matrix {
  const joined = Matrix.zeros(a.rows + c.rows, a.columns + b.columns)
  joined.setSubMatrix(a, 0, 0).setSubMatrix(b, 0, a.columns)
  joined.setSubMatrix(c, a.rows, 0).setSubMatrix(d, a.rows, a.columns)
  return joined
}
