import { projectSemidefinite } from './convexification.js'
import { differentiate } from './derivative.js'
import { Expression } from './expression.js'
import type { NonlinearProgram } from './nonlinear-program.js'
import { compileTape } from './tape.js'

/** A small program stated by expressions in x₁ … xₙ, as dense as it comes. */
export interface ProgramStatement {
  readonly variables: number
  readonly cost: (x: readonly Expression[]) => Expression
  /** Each is to be 0. */
  readonly equations?: (x: readonly Expression[]) => readonly Expression[]
  readonly lower?: readonly number[]
  readonly upper?: readonly number[]
}

export function programOf({ variables: n, cost, equations, lower, upper }: ProgramStatement): NonlinearProgram {
  const x = Array.from({ length: n }, (_, i) => Expression.variable(i))
  const indices = Array.from({ length: n }, (_, i) => i)
  const f = cost(x)
  const c = equations?.(x) ?? []
  const lagrangian = c.reduce((sum, row, i) => sum.minus(Expression.variable(n + i).times(row)), f)
  const pairs = indices.flatMap((i) => indices.slice(0, i + 1).map((j) => [i, j] as const))
  const values = compileTape([f, ...c], n)
  const derivatives = compileTape(
    [
      ...differentiate(f, indices),
      ...c.flatMap((row) => differentiate(row, indices)),
      ...differentiate(lagrangian, indices).flatMap((slope, i) => differentiate(slope, indices.slice(0, i + 1))),
    ],
    n + c.length,
  )
  return {
    structure: {
      ...{ variables: n, equalities: c.length },
      hessian: { rows: Int32Array.from(pairs, ([i]) => i), columns: Int32Array.from(pairs, ([, j]) => j) },
      jacobian: {
        rows: Int32Array.from({ length: c.length * n }, (_, at) => Math.floor(at / n)),
        columns: Int32Array.from({ length: c.length * n }, (_, at) => at % n),
      },
      order: Int32Array.from({ length: n + c.length }, (_, i) => i),
    },
    lower: Float64Array.from(indices, (i) => lower?.[i] ?? -Infinity),
    upper: Float64Array.from(indices, (i) => upper?.[i] ?? Infinity),
    evaluate(z, constraints) {
      values.input.set(z)
      values.run()
      constraints.set(values.output.subarray(1))
      return values.output[0]!
    },
    differentiate(z, multipliers, out) {
      derivatives.input.set(z)
      derivatives.input.set(multipliers, n)
      derivatives.run()
      out.gradient.set(derivatives.output.subarray(0, n))
      out.jacobian.set(derivatives.output.subarray(n, n + c.length * n))
      out.hessian.set(derivatives.output.subarray(n + c.length * n))
    },
    convexify: (hessian) => projectSemidefinite(hessian, n),
  }
}
