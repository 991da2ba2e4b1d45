const SWEEPS = 30
const FLOOR = 1e-8

/**
 * The nearest positive semidefinite matrix in the Frobenius norm, lifted a little above singular: eigenvalues below
 * 10⁻⁸ · the largest in magnitude are raised to that. Eigenvalues by Jacobi's rotations (Golub & Van Loan, Matrix
 * Computations, 4th ed. 2013, section 8.5), which suit the few rows of a block.
 * @param triangle float64[size (size + 1) / 2], the lower triangle row by row; overwritten.
 */
export function projectSemidefinite(triangle: Float64Array, size: number): void {
  const a = new Float64Array(size * size)
  for (let i = 0, at = 0; i < size; i++) {
    for (let j = 0; j <= i; j++, at++) {
      a[i * size + j] = triangle[at]!
      a[j * size + i] = triangle[at]!
    }
  }
  const vectors = diagonalise(a, size)
  let largest = 0
  let smallest = Infinity
  for (let i = 0; i < size; i++) {
    largest = Math.max(largest, Math.abs(a[i * size + i]!))
    smallest = Math.min(smallest, a[i * size + i]!)
  }
  const floor = FLOOR * largest
  if (smallest >= floor) return
  for (let i = 0, at = 0; i < size; i++) {
    for (let j = 0; j <= i; j++, at++) {
      let sum = 0
      for (let k = 0; k < size; k++) {
        sum += Math.max(floor, a[k * size + k]!) * vectors[i * size + k]! * vectors[j * size + k]!
      }
      triangle[at] = sum
    }
  }
}

/** Leaves the eigenvalues on the diagonal of `a` and returns the eigenvectors as columns. */
function diagonalise(a: Float64Array, size: number): Float64Array {
  const vectors = new Float64Array(size * size)
  for (let i = 0; i < size; i++) vectors[i * size + i] = 1
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    let rotated = false
    for (let p = 0; p < size; p++) {
      for (let q = p + 1; q < size; q++) {
        const scale = Math.abs(a[p * size + p]!) + Math.abs(a[q * size + q]!)
        if (!(Math.abs(a[p * size + q]!) > Number.EPSILON * scale)) continue
        rotate(a, vectors, size, p, q)
        rotated = true
      }
    }
    if (!rotated) break
  }
  return vectors
}

function rotate(a: Float64Array, vectors: Float64Array, size: number, p: number, q: number): void {
  const theta = (a[q * size + q]! - a[p * size + p]!) / (2 * a[p * size + q]!)
  const tangent = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.hypot(theta, 1))
  const cosine = 1 / Math.hypot(tangent, 1)
  const sine = tangent * cosine
  for (let k = 0; k < size; k++) mix(a, k * size + p, k * size + q, cosine, sine)
  for (let k = 0; k < size; k++) mix(a, p * size + k, q * size + k, cosine, sine)
  for (let k = 0; k < size; k++) mix(vectors, k * size + p, k * size + q, cosine, sine)
}

function mix(values: Float64Array, p: number, q: number, cosine: number, sine: number): void {
  const first = values[p]!
  const second = values[q]!
  values[p] = cosine * first - sine * second
  values[q] = sine * first + cosine * second
}
