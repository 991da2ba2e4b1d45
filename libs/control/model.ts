import { differentiate } from './derivative.js'
import { Expression, type ExpressionLike } from './expression.js'
import { checkBound, checkProblem, type Constraint, type OptimalControlProblem } from './problem.js'
import { compileTape, type Tape } from './tape.js'

/** A constraint of the statement as one equation: value - slack = 0, or value - constant = 0. */
export interface Equation {
  readonly name: string
  readonly lower: number
  readonly upper: number
}

/**
 * A problem compiled for one point in time: n states, m controls, and s = n + m components, states first. What is free besides
 * states and controls is made one of them: a free horizon is a last state that never changes, over which time is scaled to
 * [0, 1]; a path constraint between two ends has a last control that equals it and has those bounds.
 */
export interface Model {
  readonly states: readonly string[]
  readonly stateCount: number
  readonly controlCount: number
  /** The states and controls of the statement, without those that were added. */
  readonly stated: { readonly states: number; readonly controls: number }
  /** The length of the mesh: 1 when the horizon is free. */
  readonly horizon: number
  /** Which state is the free horizon. */
  readonly horizonState: number | undefined
  /** For each path equation, which component is its slack, -1 where it has none. */
  readonly path: readonly (Equation & { readonly slack: number })[]
  readonly boundary: readonly Equation[]
  /** (x, u, t) → (f, path equations, w): from s + 1 to n + p + 1 numbers. */
  readonly values: Tape
  /**
   * (x, u, t, ν, σ) → (∂(f, path)/∂(x,u) row by row, ∇w, the lower triangle row by row of σ∇²w + Σ νᵢ∇²fᵢ + Σ νₙ₊ⱼ∇²pathⱼ):
   * from s + 1 + n + p + 1 to (n + p) s + s + s (s + 1) / 2 numbers.
   */
  readonly derivatives: Tape
  /** (x(0), x(T)) → (boundary equations without slacks, φ): from 2 n to q + 1 numbers. */
  readonly endValues: Tape
  /** (x(0), x(T), ν) → (their Jacobian row by row, ∇φ, the lower triangle of ∇²φ + Σ νᵢ∇²bᵢ): (q + 1) 2 n + n (2 n + 1) numbers. */
  readonly endDerivatives: Tape
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
  const isFree = typeof horizon !== 'number'
  const n = states.length + (isFree ? 1 : 0)
  const x = nameVariables(states, 0)
  const u = nameVariables(controls, n)
  // Slacks come last, and how many there are shows only when the constraints have been asked: time is put behind them.
  const early = Expression.variable(0)
  const slackCount = Object.values(problem.pathConstraints?.(x, u, early) ?? {}).filter(needsSlack).length
  const m = controls.length + slackCount
  const s = n + m
  const scale = isFree ? Expression.variable(n - 1) : Expression.constant(1)
  const t = Expression.variable(s).times(scale)
  const { f, w } = collectRates(problem, x, u, t, scale)
  if (isFree) f.push(Expression.constant(0))
  const path = collectPath(problem, x, u, t, n + controls.length)
  const rows = [...f, ...path.map(({ row }) => row)]
  const { boundary, ...ends } = compileEnds(problem, n)
  const components = Array.from({ length: s }, (_, i) => i)
  const weighted = rows.reduce(
    (sum, row, i) => sum.plus(Expression.variable(s + 1 + i).times(row)),
    Expression.variable(s + 1 + rows.length).times(w),
  )
  return {
    states: isFree ? [...states, 'the horizon'] : states,
    stateCount: n,
    controlCount: m,
    stated: { states: states.length, controls: controls.length },
    horizon: isFree ? 1 : horizon,
    horizonState: isFree ? n - 1 : undefined,
    path: path.map(({ equation }) => equation),
    boundary,
    values: compileTape([...rows, w], s + 1),
    derivatives: compileTape(
      [
        ...rows.flatMap((row) => differentiate(row, components)),
        ...differentiate(w, components),
        ...differentiateTwice(weighted, components),
      ],
      s + 2 + rows.length,
    ),
    ...ends,
    ...collectBounds(problem, path),
    initial: [...states.map((name) => problem.initial?.[name]), ...(isFree ? [undefined] : [])],
    final: [...states.map((name) => problem.final?.[name]), ...(isFree ? [undefined] : [])],
  }
}

/** f and w, both times the scale of time. */
function collectRates(
  problem: OptimalControlProblem,
  x: Record<string, Expression>,
  u: Record<string, Expression>,
  t: Expression,
  scale: Expression,
): { f: Expression[]; w: Expression } {
  const slopes: Readonly<Record<string, ExpressionLike | undefined>> = problem.dynamics(x, u, t)
  const f = problem.states.map((name) => {
    const slope = slopes[name]
    if (slope === undefined) throw new RangeError(`dynamics gives no derivative for the state ${name}`)
    return Expression.from(slope).times(scale)
  })
  return { f, w: Expression.from(problem.runningCost?.(x, u, t) ?? 0).times(scale) }
}

interface PathRow {
  readonly row: Expression
  readonly equation: Equation & { readonly slack: number }
}

function collectPath(
  problem: OptimalControlProblem,
  x: Record<string, Expression>,
  u: Record<string, Expression>,
  t: Expression,
  firstSlack: number,
): PathRow[] {
  let slack = firstSlack
  return Object.entries(problem.pathConstraints?.(x, u, t) ?? {}).map(([name, constraint]) => {
    const equation = readConstraint('pathConstraints', name, constraint)
    const value = Expression.from(constraint.value)
    if (!needsSlack(constraint)) return { row: value.minus(equation.lower), equation: { ...equation, slack: -1 } }
    const index = slack++
    return { row: value.minus(Expression.variable(index)), equation: { ...equation, slack: index } }
  })
}

function readConstraint(field: string, name: string, constraint: Constraint): Equation {
  checkBound(`${field}.${name}`, constraint)
  const isEquation = constraint.lower === undefined && constraint.upper === undefined
  const { lower = isEquation ? 0 : -Infinity, upper = isEquation ? 0 : Infinity } = constraint
  return { name, lower, upper }
}

function needsSlack({ lower, upper }: Constraint): boolean {
  return lower !== upper
}

function compileEnds(
  problem: OptimalControlProblem,
  n: number,
): Pick<Model, 'boundary' | 'endDerivatives' | 'endValues'> {
  const { states, horizon } = problem
  const first = nameVariables(states, 0)
  const last = nameVariables(states, n)
  const length = typeof horizon === 'number' ? Expression.constant(horizon) : Expression.variable(2 * n - 1)
  const constraints = Object.entries(problem.boundaryConditions?.(first, last, length) ?? {})
  const values = constraints.map(([, { value }]) => Expression.from(value))
  const phi = Expression.from(problem.terminalCost?.(last, length) ?? 0)
  const components = Array.from({ length: 2 * n }, (_, i) => i)
  const weighted = values.reduce((sum, value, i) => sum.plus(Expression.variable(2 * n + i).times(value)), phi)
  return {
    boundary: constraints.map(([name, constraint]) => readConstraint('boundaryConditions', name, constraint)),
    endValues: compileTape([...values, phi], 2 * n),
    endDerivatives: compileTape(
      [
        ...values.flatMap((value) => differentiate(value, components)),
        ...differentiate(phi, components),
        ...differentiateTwice(weighted, components),
      ],
      2 * n + values.length,
    ),
  }
}

function nameVariables(names: readonly string[], firstIndex: number): Record<string, Expression> {
  return Object.fromEntries(names.map((name, i) => [name, Expression.variable(firstIndex + i)]))
}

/** The lower triangle of the Hessian, row by row. */
function differentiateTwice(output: Expression, variables: readonly number[]): Expression[] {
  return differentiate(output, variables).flatMap((slope, row) => differentiate(slope, variables.slice(0, row + 1)))
}

function collectBounds(
  { states, controls, horizon, stateBounds, controlBounds }: OptimalControlProblem,
  path: readonly PathRow[],
): { lower: Float64Array; upper: Float64Array } {
  const bounds = [
    ...states.map((name) => stateBounds?.[name]),
    ...(typeof horizon === 'number' ? [] : [{ lower: horizon.lower ?? 0, upper: horizon.upper ?? Infinity }]),
    ...controls.map((name) => controlBounds?.[name]),
    ...path.map(({ equation }) => equation).filter(({ slack }) => slack >= 0),
  ]
  return {
    lower: Float64Array.from(bounds, (bound) => bound?.lower ?? -Infinity),
    upper: Float64Array.from(bounds, (bound) => bound?.upper ?? Infinity),
  }
}
