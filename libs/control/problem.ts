import type { Expression, ExpressionLike } from './expression.js'

/** A box for one component, in its own unit; an end left out is no bound. Equal ends fix the component for all time. */
export interface Bounds {
  readonly lower?: number
  readonly upper?: number
}

/** What a function of a problem must stay between. Equal ends make an equation of it; both left out, it must be 0. */
export interface Constraint extends Bounds {
  readonly value: ExpressionLike
}

/** A horizon that is found together with the trajectory. */
export interface FreeHorizon {
  /** ≥ 0; 0 when left out. */
  readonly lower?: number
  /** Infinity when left out. */
  readonly upper?: number
  /** Where the search begins, above 0. */
  readonly guess: number
}

/** Values by name. */
export type Named<Name extends string, Value> = Readonly<Record<Name, Value>>

/**
 * Minimise φ(x(T), T) + ∫₀ᵀ w(x, u, t) dt subject to x' = f(x, u, t), bounds on x and u, end values of x, path constraints and
 * boundary conditions, over a horizon T that is fixed or free. The functions are called once, with expressions, and must not
 * branch on values. Units are the problem's own.
 */
export interface OptimalControlProblem<State extends string = string, Control extends string = string> {
  readonly name: string
  /** The names of the states, whose order is the order of the components of every array. */
  readonly states: readonly State[]
  readonly controls: readonly Control[]
  /** T, above 0; time runs from 0. */
  readonly horizon: number | FreeHorizon
  /** x' for each state. */
  dynamics(x: Named<State, Expression>, u: Named<Control, Expression>, t: Expression): Named<State, ExpressionLike>
  /** w, 0 when left out. */
  runningCost?(x: Named<State, Expression>, u: Named<Control, Expression>, t: Expression): ExpressionLike
  /** φ, 0 when left out. */
  terminalCost?(x: Named<State, Expression>, t: Expression): ExpressionLike
  readonly stateBounds?: Readonly<Partial<Record<State, Bounds>>>
  readonly controlBounds?: Readonly<Partial<Record<Control, Bounds>>>
  /** x(0); a state left out is free. */
  readonly initial?: Readonly<Partial<Record<State, number>>>
  /** x(T); a state left out is free. */
  readonly final?: Readonly<Partial<Record<State, number>>>
  /** Functions of states, controls and time that are kept between their ends at every point of the mesh, by name. */
  pathConstraints?(
    x: Named<State, Expression>,
    u: Named<Control, Expression>,
    t: Expression,
  ): Readonly<Record<string, Constraint>>
  /** Functions of both ends and of T, by name. Plain values of single states are told by `initial` and `final`. */
  boundaryConditions?(
    initial: Named<State, Expression>,
    final: Named<State, Expression>,
    horizon: Expression,
  ): Readonly<Record<string, Constraint>>
}

/**
 * @returns the problem itself; lets the compiler infer the names.
 * @throws RangeError naming the field that contradicts the others.
 */
export function defineProblem<const State extends string, const Control extends string>(
  problem: OptimalControlProblem<State, Control>,
): OptimalControlProblem<State, Control> {
  checkProblem(problem)
  return problem
}

/** @throws RangeError naming the field that is malformed. Whether a solution exists is for the solver to find out. */
export function checkProblem(problem: OptimalControlProblem): void {
  const { states, controls, horizon } = problem
  if (states.length === 0) throw new RangeError('states is empty; name at least one state')
  checkDistinct('states', states)
  checkDistinct('controls', controls)
  checkHorizon(horizon)
  if (problem.runningCost === undefined && problem.terminalCost === undefined) {
    throw new RangeError('runningCost and terminalCost are both missing; give at least one')
  }
  checkBounds('stateBounds', problem.stateBounds, states)
  checkBounds('controlBounds', problem.controlBounds, controls)
  checkValues('initial', problem.initial, states)
  checkValues('final', problem.final, states)
}

function checkHorizon(horizon: number | FreeHorizon): void {
  const isLength = (value: number): boolean => value > 0 && Number.isFinite(value)
  if (typeof horizon === 'number') {
    if (!isLength(horizon)) throw new RangeError(`horizon is ${horizon}; it must be above 0 and finite`)
    return
  }
  const { lower = 0, upper = Infinity, guess } = horizon
  if (!(lower >= 0 && lower < upper && Number.isFinite(lower))) {
    throw new RangeError(`horizon is free in [${lower}, ${upper}]; give 0 ≤ lower < upper, or a number to fix it`)
  }
  if (!isLength(guess) || guess < lower || guess > upper) {
    throw new RangeError(`horizon.guess is ${guess}; it must be above 0, finite and within [${lower}, ${upper}]`)
  }
}

/** @throws RangeError when no number lies between the ends. */
export function checkBound(field: string, { lower = -Infinity, upper = Infinity }: Bounds): void {
  if (!(lower <= upper) || lower === Infinity || upper === -Infinity) {
    throw new RangeError(`${field} is [${lower}, ${upper}]: no number lies between them`)
  }
}

function checkDistinct(field: string, names: readonly string[]): void {
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) throw new RangeError(`${field} names "${twice}" twice`)
}

function checkKnown(field: string, name: string, names: readonly string[]): void {
  if (!names.includes(name)) throw new RangeError(`${field}.${name} is unknown; there is ${names.join(', ')}`)
}

function checkBounds(
  field: string,
  bounds: Readonly<Record<string, Bounds | undefined>> | undefined,
  names: readonly string[],
): void {
  for (const [name, bound] of Object.entries(bounds ?? {})) {
    checkKnown(field, name, names)
    checkBound(`${field}.${name}`, bound ?? {})
  }
}

function checkValues(
  field: string,
  values: Readonly<Record<string, number | undefined>> | undefined,
  names: readonly string[],
): void {
  for (const [name, value] of Object.entries(values ?? {})) {
    checkKnown(field, name, names)
    if (value !== undefined && !Number.isFinite(value)) {
      throw new RangeError(`${field}.${name} is ${value}; give a finite number, or leave it out to leave it free`)
    }
  }
}
