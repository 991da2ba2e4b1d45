import { expect, test } from 'vitest'
import { createRng, type Rng } from '#libs/domain'
import { solveQuadraticProgram } from './quadratic-program.js'

const VARIABLES = 12
const EQUALITIES = 4

/** H = BBᵀ of low rank, and b = A·(a point in the box), so that a solution exists; some bounds are left open. */
function randomProgram(rng: Rng): {
  H: Float64Array
  g: Float64Array
  A: Float64Array
  b: Float64Array
  lower: Float64Array
  upper: Float64Array
} {
  const rank = rng.integer(VARIABLES - EQUALITIES, VARIABLES + 1)
  const B = rng.normals(VARIABLES * rank)
  const H = new Float64Array(VARIABLES * VARIABLES)
  for (let i = 0; i < VARIABLES; i++) {
    for (let j = 0; j < VARIABLES; j++) {
      for (let k = 0; k < rank; k++) H[i * VARIABLES + j]! += B[i * rank + k]! * B[j * rank + k]!
    }
  }
  const A = rng.normals(EQUALITIES * VARIABLES)
  const inside = rng.normals(VARIABLES)
  const b = Float64Array.from({ length: EQUALITIES }, (_, row) =>
    inside.reduce((sum, value, j) => sum + A[row * VARIABLES + j]! * value, 0),
  )
  const lower = inside.map((value) => (rng.uniform() < 0.3 ? -Infinity : value - rng.uniform()))
  const upper = inside.map((value) => (rng.uniform() < 0.3 ? Infinity : value + rng.uniform()))
  return { H, g: rng.normals(VARIABLES).map((value) => 5 * value), A, b, lower, upper }
}

test.each(Array.from({ length: 25 }, (_, i) => i))('random program %i meets the optimality conditions', (index) => {
  const program = randomProgram(createRng(11, index))
  const { H, g, A, b, lower, upper } = program
  const solution = solveQuadraticProgram(program)
  expect(solution.status).toBe('solved')
  const { x, multipliers, lowerMultipliers, upperMultipliers } = solution
  for (let i = 0; i < VARIABLES; i++) {
    let gradient = g[i]! - lowerMultipliers[i]! + upperMultipliers[i]!
    for (let j = 0; j < VARIABLES; j++) gradient += H[i * VARIABLES + j]! * x[j]!
    for (let row = 0; row < EQUALITIES; row++) gradient -= A[row * VARIABLES + i]! * multipliers[row]!
    expect(Math.abs(gradient)).toBeLessThan(1e-6)
    expect(x[i]).toBeGreaterThan(lower[i]! - 1e-7)
    expect(x[i]).toBeLessThan(upper[i]! + 1e-7)
    expect(lowerMultipliers[i]).toBeGreaterThanOrEqual(0)
    expect(upperMultipliers[i]).toBeGreaterThanOrEqual(0)
    if (lower[i]! > -Infinity) expect(lowerMultipliers[i]! * (x[i]! - lower[i]!)).toBeLessThan(1e-6)
    if (upper[i]! < Infinity) expect(upperMultipliers[i]! * (upper[i]! - x[i]!)).toBeLessThan(1e-6)
  }
  b.forEach((value, row) => {
    const product = x.reduce((sum, xj, j) => sum + A[row * VARIABLES + j]! * xj, 0)
    expect(Math.abs(product - value)).toBeLessThan(1e-7)
  })
})
