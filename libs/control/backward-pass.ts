import { Matrix } from 'ml-matrix'

import { solveBoxProgram } from './box-quadratic-program.js'
import { symmetrise, writeMatrix } from './dense-matrix.js'
import type { DiscreteModel } from './discrete-problem.js'

/** A control law around a trajectory: δu = part of the step + K δx. */
export interface LocalPolicy {
  /** float64[N, m]. */
  readonly step: Float64Array
  /** float64[N, m, n], row-major. */
  readonly K: Float64Array
  /** What a full step is expected to change the cost by: a linear and a quadratic part. */
  readonly expected: { readonly linear: number; readonly quadratic: number }
  /** The largest slope of the cost by a control that no bound holds. */
  readonly gradient: number
}

/**
 * The backward pass of differential dynamic programming (Jacobson & Mayne 1970) with control limits (Tassa, Mansard & Todorov, ICRA
 * 2014): quadratic models of the cost-to-go, from the last step to the first.
 * @param x float64[N + 1, n]. @param u float64[N, m].
 * @param damping ≥ 0, added to the curvature by the controls.
 * @param isExact with the second derivatives of the dynamics (DDP), or without (iLQR).
 * @returns nothing when the curvature by some control is not positive.
 */
export function passBackward(
  model: DiscreteModel,
  x: Float64Array,
  u: Float64Array,
  damping: number,
  isExact: boolean,
): LocalPolicy | undefined {
  const { stateCount: n, controlCount: m, derivatives, curvature, lower, upper } = model
  const s = n + m
  const steps = u.length / m
  const policy = { step: new Float64Array(steps * m), K: new Float64Array(steps * m * n) }
  let [linear, quadratic, gradient] = [0, 0, 0]
  let { slope: vx, bend: vxx } = readTerminal(model, x.subarray(steps * n))
  for (let k = steps - 1; k >= 0; k--) {
    const at = u.subarray(k * m, (k + 1) * m)
    derivatives.input.set(x.subarray(k * n, (k + 1) * n))
    derivatives.input.set(at, n)
    derivatives.input[s] = k
    derivatives.run()
    const { output } = derivatives
    const f = Matrix.from1DArray(n, s, output.subarray(0, n * s))
    const q = vx.mmul(f)
    for (let i = 0; i < s; i++) q.set(0, i, q.get(0, i) + output[n * s + i]!)
    const bend = f.transpose().mmul(vxx).mmul(f)
    addTriangle(bend, output.subarray(n * s + s))
    if (isExact) {
      curvature.input.set(derivatives.input.subarray(0, s + 1))
      for (let i = 0; i < n; i++) curvature.input[s + 1 + i] = vx.get(0, i)
      curvature.run()
      addTriangle(bend, curvature.output)
    }
    const quu = symmetrise(bend.subMatrix(n, s - 1, n, s - 1))
    const damped = Matrix.add(quu, Matrix.eye(m).mul(damping))
    const qu = Float64Array.from({ length: m }, (_, i) => q.get(0, n + i))
    const room = { lower: lower.map((bound, i) => bound - at[i]!), upper: upper.map((bound, i) => bound - at[i]!) }
    const warm = policy.step.subarray(Math.min(k + 1, steps - 1) * m, Math.min(k + 2, steps) * m)
    const box = solveBoxProgram(damped, qu, room.lower, room.upper, warm)
    if (box === undefined) return undefined
    const qux = bend.subMatrix(n, s - 1, 0, n - 1)
    const gain = Matrix.zeros(m, n)
    if (box.factor !== undefined) {
      const rows = box.factor.solve(
        qux.selection(
          box.free,
          Array.from({ length: n }, (_, i) => i),
        ),
      )
      box.free.forEach((i, row) => gain.setSubMatrix(rows.getRowVector(row).mul(-1), i, 0))
    }
    policy.step.set(box.x, k * m)
    policy.K.set(writeMatrix(gain), k * m * n)
    const step = Matrix.columnVector(box.x)
    const bent = quu.mmul(step)
    linear += qu.reduce((sum, value, i) => sum + value * box.x[i]!, 0)
    quadratic += 0.5 * step.transpose().mmul(bent).get(0, 0)
    for (const i of box.free) gradient = Math.max(gradient, Math.abs(qu[i]!))
    // The cost-to-go under the law, not under its minimum: right for clamped and damped steps, too.
    const qx = q.subMatrix(0, 0, 0, n - 1)
    vx = Matrix.add(qx, bent.transpose().add(Matrix.rowVector(qu)).mmul(gain)).add(step.transpose().mmul(qux))
    const mixed = gain.transpose().mmul(qux)
    vxx = symmetrise(
      Matrix.add(bend.subMatrix(0, n - 1, 0, n - 1), gain.transpose().mmul(quu).mmul(gain))
        .add(mixed)
        .add(mixed.transpose()),
    )
  }
  return { ...policy, expected: { linear, quadratic }, gradient }
}

function readTerminal(model: DiscreteModel, x: Float64Array): { slope: Matrix; bend: Matrix } {
  const { stateCount: n, terminalDerivatives: tape } = model
  tape.input.set(x)
  tape.run()
  const bend = Matrix.zeros(n, n)
  addTriangle(bend, tape.output.subarray(n))
  return { slope: Matrix.rowVector(Array.from(tape.output.subarray(0, n))), bend }
}

/** Adds a symmetric matrix given by its lower triangle, row by row. */
function addTriangle(matrix: Matrix, triangle: Float64Array): void {
  for (let i = 0, at = 0; i < matrix.rows; i++) {
    for (let j = 0; j <= i; j++, at++) {
      matrix.set(i, j, matrix.get(i, j) + triangle[at]!)
      if (i !== j) matrix.set(j, i, matrix.get(j, i) + triangle[at]!)
    }
  }
}
