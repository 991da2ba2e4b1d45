import { createRng } from '#libs/domain'
import { Matrix, solve } from 'ml-matrix'
import { expect, test } from 'vitest'

import { solveBoxProgram } from './box-quadratic-program.js'

/** The least value over all ways to hold components at a bound. */
function enumerate(h: Matrix, g: Float64Array, lower: Float64Array, upper: Float64Array): number {
  const m = g.length
  let least = Infinity
  for (let choice = 0; choice < 3 ** m; choice++) {
    const held = Array.from({ length: m }, (_, i) => Math.floor(choice / 3 ** i) % 3)
    const x = Float64Array.from(held, (how, i) => (how === 1 ? lower[i]! : how === 2 ? upper[i]! : 0))
    const free = held.flatMap((how, i) => (how === 0 ? [i] : []))
    if (free.length > 0) {
      const right = free.map((i) => [-g[i]! - x.reduce((sum, value, j) => sum + h.get(i, j) * value, 0)])
      solve(h.selection(free, free), new Matrix(right))
        .to1DArray()
        .forEach((value, k) => (x[free[k]!] = value))
    }
    const isInside = x.every((value, i) => value >= lower[i]! - 1e-9 && value <= upper[i]! + 1e-9)
    if (isInside) least = Math.min(least, valueOf(h, g, x))
  }
  return least
}

function valueOf(h: Matrix, g: Float64Array, x: Float64Array): number {
  const column = Matrix.columnVector([...x])
  return 0.5 * column.transpose().mmul(h).mmul(column).get(0, 0) + g.reduce((sum, value, i) => sum + value * x[i]!, 0)
}

test('the value is the least of all ways to hold components at their bounds', () => {
  for (let stream = 0; stream < 50; stream++) {
    const rng = createRng(11, stream)
    const m = 1 + (stream % 4)
    const root = Matrix.from1DArray(m, m, rng.normals(m * m))
    const h = root.mmul(root.transpose()).add(Matrix.eye(m).mul(0.1))
    const g = rng.normals(m).map((value) => 3 * value)
    const lower = rng.uniforms(m).map((value) => -value)
    const upper = rng.uniforms(m)
    const { x, free } = solveBoxProgram(h, g, lower, upper, new Float64Array(m))!
    expect(x.every((value, i) => value >= lower[i]! && value <= upper[i]!)).toBe(true)
    expect(valueOf(h, g, x)).toBeCloseTo(enumerate(h, g, lower, upper), 8)
    for (const i of free) expect(g[i]! + x.reduce((sum, value, j) => sum + h.get(i, j) * value, 0)).toBeCloseTo(0, 6)
  }
})

test('without a minimum there is no solution', () => {
  const none = new Float64Array(1)
  expect(
    solveBoxProgram(
      new Matrix([[-1]]),
      Float64Array.of(1),
      none.fill(-Infinity),
      Float64Array.of(Infinity),
      Float64Array.of(0),
    ),
  ).toBeUndefined()
})
