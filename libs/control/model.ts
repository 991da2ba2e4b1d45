import { differentiate } from './derivative.js'
import { Expression, type ExpressionLike } from './expression.js'
import { checkProblem, type OptimalControlProblem } from './problem.js'
import { compileTape, type Tape } from './tape.js'

/** A problem compiled for one point in time: n states, m controls, and s = n + m components, states first. */
export interface Model {
  readonly states: readonly string[]
  readonly stateCount: number
  readonly controlCount: number
  readonly horizon: number
  /** (x, u, t) → (f, w): from s + 1 to n + 1 numbers. */
  readonly values: Tape
  /**
   * (x, u, t, ν, σ) → (∂f/∂(x,u) row by row, ∇w, the lower triangle row by row of σ∇²w + Σ νᵢ∇²fᵢ):
   * from s + 1 + n + 1 to n s + s + s (s + 1) / 2 numbers.
   */
  readonly derivatives: Tape
  /** (x, T) → φ. */
  readonly terminalValue: Tape
  /** (x, T) → (∇φ, the lower triangle of ∇²φ): n + n (n + 1) / 2 numbers. */
  readonly terminalDerivatives: Tape
  /** float64[s], ∓Infinity where there is no bound. */
  readonly lower: Float64Array
  readonly upper: Float64Array
  /** For each state, its value at 0 and at T where it is fixed. */
  readonly initial: readonly (number | undefined)[]
  readonly final: readonly (number | undefined)[]
}

/** @throws RangeError naming the field of the problem that is malformed. */
export function compileModel(problem: OptimalControlProblem): Model {
  checkProblem(problem)
  const { states, controls, horizon } = problem
  const n = states.length
  const s = n + controls.length
  const x = nameVariables(states, 0)
  const u = nameVariables(controls, n)
  const t = Expression.variable(s)
  const slopes: Readonly<Record<string, ExpressionLike | undefined>> = problem.dynamics(x, u, t)
  const f = states.map((name) => {
    const slope = slopes[name]
    if (slope === undefined) throw new RangeError(`dynamics gives no derivative for the state ${name}`)
    return Expression.from(slope)
  })
  const w = Expression.from(problem.runningCost?.(x, u, t) ?? 0)
  const phi = Expression.from(problem.terminalCost?.(x, Expression.variable(n)) ?? 0)
  const components = Array.from({ length: s }, (_, i) => i)
  const weighted = f.reduce(
    (sum, slope, i) => sum.plus(Expression.variable(s + 1 + i).times(slope)),
    Expression.variable(s + 1 + n).times(w),
  )
  const stateIndices = components.slice(0, n)
  return {
    states,
    stateCount: n,
    controlCount: controls.length,
    horizon,
    values: compileTape([...f, w], s + 1),
    derivatives: compileTape(
      [
        ...f.flatMap((slope) => differentiate(slope, components)),
        ...differentiate(w, components),
        ...differentiateTwice(weighted, components),
      ],
      s + 2 + n,
    ),
    terminalValue: compileTape([phi], n + 1),
    terminalDerivatives: compileTape(
      [...differentiate(phi, stateIndices), ...differentiateTwice(phi, stateIndices)],
      n + 1,
    ),
    ...collectBounds(problem),
    initial: states.map((name) => problem.initial?.[name]),
    final: states.map((name) => problem.final?.[name]),
  }
}

function nameVariables(names: readonly string[], firstIndex: number): Record<string, Expression> {
  return Object.fromEntries(names.map((name, i) => [name, Expression.variable(firstIndex + i)]))
}

/** The lower triangle of the Hessian, row by row. */
function differentiateTwice(output: Expression, variables: readonly number[]): Expression[] {
  return differentiate(output, variables).flatMap((slope, row) => differentiate(slope, variables.slice(0, row + 1)))
}

function collectBounds({ states, controls, stateBounds, controlBounds }: OptimalControlProblem): {
  lower: Float64Array
  upper: Float64Array
} {
  const bounds = [...states.map((name) => stateBounds?.[name]), ...controls.map((name) => controlBounds?.[name])]
  return {
    lower: Float64Array.from(bounds, (bound) => bound?.lower ?? -Infinity),
    upper: Float64Array.from(bounds, (bound) => bound?.upper ?? Infinity),
  }
}
