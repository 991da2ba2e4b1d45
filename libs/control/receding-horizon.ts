import { solveOptimalControl, type Solution, type SolveOptions } from './optimal-control.js'
import type { OptimalControlProblem } from './problem.js'
import { resample } from './trajectory.js'

export interface RecedingHorizonOptions extends SolveOptions {
  /** Between two measurements, in the problem's unit of time; at most the horizon. */
  readonly period: number
}

export interface RecedingStep {
  /** float64[m]: the control at the begin of the plan, to be held or followed until the next measurement. */
  readonly u: Float64Array
  /** The control planned for a time after the measurement, float64[m]; that at the end of the plan after it. */
  controlAt(time: number): Float64Array
  readonly plan: Solution
}

/** Plans again and again, each from the plan before. */
export interface RecedingHorizon {
  /**
   * @param x float64[n], measured.
   * @throws RangeError when x is malformed; Error when no plan is found, with the solver's reason.
   */
  next(x: Float64Array): RecedingStep
}

/**
 * Nonlinear model predictive control: the optimal-control problem is solved from each measured state, begun from the plan before
 * moved on by one period (Rawlings, Mayne & Diehl, Model Predictive Control, 2nd ed. 2017, section 8.9). Interior-point unless told.
 * @throws RangeError naming the argument that is malformed.
 */
export function createRecedingHorizon(
  problem: OptimalControlProblem,
  options: RecedingHorizonOptions,
): RecedingHorizon {
  const { horizon, states } = problem
  const { period, ...solveOptions } = options
  if (typeof horizon !== 'number') throw new RangeError('horizon is free; a receding one has a fixed length')
  if (!(period > 0 && period <= horizon)) throw new RangeError(`period is ${period}; it must lie in (0, ${horizon}]`)
  let before: Solution | undefined
  return {
    next(x) {
      if (x.length !== states.length)
        throw new RangeError(`x has ${x.length} values; there are ${states.length} states`)
      const initial = Object.fromEntries(states.map((name, i) => [name, x[i]!]))
      const guess = before === undefined ? options.initialGuess : moveOn(before, problem, period)
      const plan = solveOptimalControl(
        { ...problem, initial },
        { method: 'interiorPoint', ...solveOptions, ...(guess && { initialGuess: guess }) },
      )
      if (plan.status !== 'solved') throw new Error(`no plan from x = [${x.join(', ')}]: ${plan.message}`)
      before = plan
      const m = problem.controls.length
      const controlAt = (time: number): Float64Array => resample(plan.u, m, plan.t, Float64Array.of(time))
      return { u: plan.u.slice(0, m), controlAt, plan }
    },
  }
}

/** The rest of a plan; at its end it stays where it was. */
function moveOn(
  { t, x, u }: Solution,
  { states, controls }: OptimalControlProblem,
  period: number,
): { x: Float64Array; u: Float64Array; fractions: Float64Array } {
  const horizon = t[t.length - 1]!
  const times = t.map((time) => Math.min(time + period, horizon))
  return {
    x: resample(x, states.length, t, times),
    u: resample(u, controls.length, t, times),
    fractions: t.map((time) => time / horizon),
  }
}
