import { differentiate } from './derivative.js'
import { Expression, type ExpressionLike } from './expression.js'
import { checkBound, type Bounds, type Named } from './problem.js'
import { compileTape, type Tape } from './tape.js'

/**
 * Minimise φ(x_N) + Σ l(x_k, u_k, k) subject to x_{k+1} = F(x_k, u_k, k) from a given x_0, with bounds on the controls. The functions
 * are called once, with expressions, and must not branch on values.
 */
export interface DiscreteProblem<State extends string = string, Control extends string = string> {
  readonly name: string
  readonly states: readonly State[]
  readonly controls: readonly Control[]
  /** N, ≥ 1. */
  readonly steps: number
  /** x_{k+1} for each state. */
  next(x: Named<State, Expression>, u: Named<Control, Expression>, k: Expression): Named<State, ExpressionLike>
  /** l, 0 when left out. */
  stageCost?(x: Named<State, Expression>, u: Named<Control, Expression>, k: Expression): ExpressionLike
  /** φ, 0 when left out. */
  terminalCost?(x: Named<State, Expression>): ExpressionLike
  readonly controlBounds?: Readonly<Partial<Record<Control, Bounds>>>
  /** x_0. */
  readonly initial: Named<State, number>
}

/**
 * @returns the problem itself; lets the compiler infer the names.
 * @throws RangeError naming the field that contradicts the others.
 */
export function defineDiscreteProblem<const State extends string, const Control extends string>(
  problem: DiscreteProblem<State, Control>,
): DiscreteProblem<State, Control> {
  const { states, controls, steps, initial, controlBounds } = problem
  if (states.length === 0) throw new RangeError('states is empty; name at least one state')
  if (controls.length === 0) throw new RangeError('controls is empty; name at least one control')
  if (!Number.isSafeInteger(steps) || steps < 1) {
    throw new RangeError(`steps is ${steps}; it must be a whole number above 0`)
  }
  for (const name of states) {
    if (!Number.isFinite(initial[name]))
      throw new RangeError(`initial.${name} is ${initial[name]}; give a finite number`)
  }
  for (const name of controls) checkBound(`controlBounds.${name}`, controlBounds?.[name] ?? {})
  return problem
}

/**
 * One step of the classical Runge–Kutta method as expressions, the controls held: continuous dynamics as `next` of a discrete
 * problem.
 * @param step in the unit of time.
 */
export function rungeKuttaStep<State extends string, Control extends string>(
  dynamics: (x: Named<State, Expression>, u: Named<Control, Expression>) => Named<State, ExpressionLike>,
  step: number,
): (x: Named<State, Expression>, u: Named<Control, Expression>) => Record<State, Expression> {
  return (x, u) => {
    const names = Object.keys(x) as State[]
    const make = (value: (name: State) => Expression): Record<State, Expression> =>
      Object.fromEntries(names.map((name) => [name, value(name)])) as Record<State, Expression>
    const slope = (at: Named<State, Expression>): Record<State, Expression> => {
      const rates = dynamics(at, u)
      return make((name) => Expression.from(rates[name]))
    }
    const k1 = slope(x)
    const k2 = slope(make((name) => x[name].plus(k1[name].times(step / 2))))
    const k3 = slope(make((name) => x[name].plus(k2[name].times(step / 2))))
    const k4 = slope(make((name) => x[name].plus(k3[name].times(step))))
    return make((name) =>
      x[name].plus(
        k1[name]
          .plus(k2[name].times(2))
          .plus(k3[name].times(2))
          .plus(k4[name])
          .times(step / 6),
      ),
    )
  }
}

/** A discrete problem compiled for one step: n states, m controls, s = n + m components, states first. */
export interface DiscreteModel {
  readonly stateCount: number
  readonly controlCount: number
  /** (x, u, k) → (F, l): from s + 1 to n + 1 numbers. */
  readonly values: Tape
  /** (x, u, k) → (∂F row by row, ∇l, the lower triangle of ∇²l): to n s + s + s (s + 1) / 2 numbers. */
  readonly derivatives: Tape
  /** (x, u, k, ν) → the lower triangle of Σ νᵢ∇²Fᵢ. */
  readonly curvature: Tape
  /** x → φ. */
  readonly terminalValue: Tape
  /** x → (∇φ, the lower triangle of ∇²φ). */
  readonly terminalDerivatives: Tape
  /** float64[m], ∓Infinity where there is no bound. */
  readonly lower: Float64Array
  readonly upper: Float64Array
  /** float64[n]. */
  readonly initial: Float64Array
}

/** @throws RangeError when `next` leaves a state out. */
export function compileDiscreteModel(problem: DiscreteProblem): DiscreteModel {
  const { states, controls, controlBounds } = problem
  const n = states.length
  const s = n + controls.length
  const name = (names: readonly string[], first: number): Record<string, Expression> =>
    Object.fromEntries(names.map((own, i) => [own, Expression.variable(first + i)]))
  const x = name(states, 0)
  const u = name(controls, n)
  const k = Expression.variable(s)
  const next: Readonly<Record<string, ExpressionLike | undefined>> = problem.next(x, u, k)
  const f = states.map((state) => {
    const value = next[state]
    if (value === undefined) throw new RangeError(`next gives no value for the state ${state}`)
    return Expression.from(value)
  })
  const l = Expression.from(problem.stageCost?.(x, u, k) ?? 0)
  const phi = Expression.from(problem.terminalCost?.(x) ?? 0)
  const components = Array.from({ length: s }, (_, i) => i)
  const weighted = f.reduce(
    (sum, value, i) => sum.plus(Expression.variable(s + 1 + i).times(value)),
    Expression.constant(0),
  )
  return {
    stateCount: n,
    controlCount: controls.length,
    values: compileTape([...f, l], s + 1),
    derivatives: compileTape(
      [
        ...f.flatMap((value) => differentiate(value, components)),
        ...differentiate(l, components),
        ...twice(l, components),
      ],
      s + 1,
    ),
    curvature: compileTape(twice(weighted, components), s + 1 + n),
    terminalValue: compileTape([phi], n),
    terminalDerivatives: compileTape(
      [...differentiate(phi, components.slice(0, n)), ...twice(phi, components.slice(0, n))],
      n,
    ),
    lower: Float64Array.from(controls, (control) => controlBounds?.[control]?.lower ?? -Infinity),
    upper: Float64Array.from(controls, (control) => controlBounds?.[control]?.upper ?? Infinity),
    initial: Float64Array.from(states, (state) => problem.initial[state]!),
  }
}

function twice(output: Expression, variables: readonly number[]): Expression[] {
  return differentiate(output, variables).flatMap((slope, row) => differentiate(slope, variables.slice(0, row + 1)))
}
