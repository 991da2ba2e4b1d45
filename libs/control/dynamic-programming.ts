import { passBackward, type LocalPolicy } from './backward-pass.js'
import {
  compileDiscreteModel,
  defineDiscreteProblem,
  type DiscreteModel,
  type DiscreteProblem,
} from './discrete-problem.js'

/** How far a solve has come; `u` is a guess to begin again from. */
export interface PolicyState {
  readonly iteration: number
  readonly cost: number
  /** The largest slope of the cost by a control that no bound holds. */
  readonly gradient: number
  /** By how much controls are outside their bounds: always 0, as every step is clamped. */
  readonly constraintViolation: number
  /** float64[N + 1, n], row-major. */
  readonly x: Float64Array
  /** float64[N, m], row-major. */
  readonly u: Float64Array
}

export interface PolicyOptions {
  /** `ddp`, with the second derivatives of the dynamics, when left out; `ilqr` does without. */
  readonly method?: 'ddp' | 'ilqr'
  /** float64[N, m], row-major; zeros when left out. Brought inside the bounds. */
  readonly initialControls?: Float64Array
  /** Of the largest slope by a free control, over 1 + |cost|; 1e-9 when left out. */
  readonly tolerance?: number
  /** 500 when left out. */
  readonly maxIterations?: number
  /** Called at the start of every iteration. */
  readonly onIterate?: (state: PolicyState) => void
  readonly signal?: AbortSignal
}

export interface PolicySolution extends PolicyState {
  /** - `solved`: the slopes are within the tolerance. - `iterationLimit`: not yet. - `failed`: `message` says why. */
  readonly status: 'solved' | 'iterationLimit' | 'failed'
  readonly message: string
  readonly iterations: number
  /** float64[N, m, n], row-major: near the trajectory the best control is u_k + K_k (x - x_k), clamped. */
  readonly K: Float64Array
}

const NO_MINIMUM = 'the cost has no minimum by some control; give every control a cost or bounds'
const LEAST_DAMPING = 1e-8
const MOST_DAMPING = 1e12
const HALVINGS = 20
const ACCEPTED_SHARE = 1e-4
const ROUNDING = 1e-14

/**
 * Differential dynamic programming, or its Gauss–Newton form iLQR, with bounds on the controls: a control law and a trajectory of a
 * discrete problem (Jacobson & Mayne 1970; Li & Todorov 2004; Tassa, Mansard & Todorov, ICRA 2014).
 * @throws RangeError naming what is malformed; the signal's reason when it is aborted.
 */
export function solveDynamicProgram(problem: DiscreteProblem, options: PolicyOptions = {}): PolicySolution {
  const { method = 'ddp', tolerance = 1e-9, maxIterations = 500, onIterate, signal } = options
  if (!(tolerance > 0)) throw new RangeError(`tolerance is ${tolerance}; it must be above 0`)
  const model = compileDiscreteModel(defineDiscreteProblem(problem))
  let at = rollOut(model, readControls(model, problem.steps, options.initialControls))
  let damping = 0
  const describe = (iteration: number, gradient: number): PolicyState => ({
    ...{ iteration, gradient, cost: at.cost, constraintViolation: 0, x: at.x, u: at.u },
  })
  const end = (
    status: PolicySolution['status'],
    message: string,
    iteration: number,
    policy?: LocalPolicy,
  ): PolicySolution => ({
    ...describe(iteration, policy?.gradient ?? NaN),
    ...{ status, message, iterations: iteration },
    K: policy?.K ?? new Float64Array(at.u.length * model.stateCount),
  })
  if (!Number.isFinite(at.cost)) {
    return end('failed', 'the trajectory of the initial controls is not finite; give others', 0)
  }
  for (let iteration = 0; ; iteration++) {
    signal?.throwIfAborted()
    let policy = passBackward(model, at.x, at.u, damping, method === 'ddp')
    while (policy === undefined) {
      damping = Math.max(LEAST_DAMPING, damping * 10)
      if (damping > MOST_DAMPING) {
        return end('failed', NO_MINIMUM, iteration)
      }
      policy = passBackward(model, at.x, at.u, damping, method === 'ddp')
    }
    onIterate?.(describe(iteration, policy.gradient))
    const isFlat = policy.gradient <= tolerance * (1 + Math.abs(at.cost)) && isAtRest(policy, at.u)
    if (isFlat) {
      // Damping hides a maximum: only without it does a flat cost mean a minimum.
      const undamped = damping === 0 ? policy : passBackward(model, at.x, at.u, 0, method === 'ddp')
      if (undamped !== undefined) return end('solved', 'no free control would lower the cost', iteration, undamped)
      return end('failed', NO_MINIMUM, iteration, policy)
    }
    if (iteration === maxIterations) {
      return end('iterationLimit', `not within the tolerance after ${maxIterations} iterations`, iteration, policy)
    }
    const found = searchAlong(model, at, policy)
    if (found !== undefined) {
      at = found
      damping = damping <= LEAST_DAMPING ? 0 : damping / 10
      continue
    }
    damping = Math.max(LEAST_DAMPING, damping * 10)
    if (damping > MOST_DAMPING) return end('failed', 'stuck: no step from here lowers the cost', iteration, policy)
  }
}

/** Whether controls that are to go to a bound are there already. */
function isAtRest({ step }: LocalPolicy, u: Float64Array): boolean {
  return step.every((move, i) => Math.abs(move) <= 1e-6 * (1 + Math.abs(u[i]!)))
}

interface Rollout {
  readonly x: Float64Array
  readonly u: Float64Array
  readonly cost: number
}

function searchAlong(model: DiscreteModel, from: Rollout, policy: LocalPolicy): Rollout | undefined {
  const { linear, quadratic } = policy.expected
  for (let halving = 0, length = 1; halving < HALVINGS; halving++, length /= 2) {
    const trial = rollOut(model, from.u, { from, policy, length })
    const expected = length * linear + length * length * quadratic
    const rounding = ROUNDING * (1 + Math.abs(from.cost))
    if (trial.cost - from.cost <= ACCEPTED_SHARE * Math.min(expected, 0) + rounding) return trial
  }
  return undefined
}

/** The trajectory of controls, or of a law around another trajectory. */
function rollOut(
  model: DiscreteModel,
  controls: Float64Array,
  law?: { readonly from: Rollout; readonly policy: LocalPolicy; readonly length: number },
): Rollout {
  const { stateCount: n, controlCount: m, values, terminalValue, lower, upper } = model
  const steps = controls.length / m
  const x = new Float64Array((steps + 1) * n)
  const u = controls.slice()
  x.set(model.initial)
  let cost = 0
  for (let k = 0; k < steps; k++) {
    for (let i = 0; law !== undefined && i < m; i++) {
      let value = u[k * m + i]! + law.length * law.policy.step[k * m + i]!
      for (let j = 0; j < n; j++) {
        value += law.policy.K[(k * m + i) * n + j]! * (x[k * n + j]! - law.from.x[k * n + j]!)
      }
      u[k * m + i] = Math.min(Math.max(value, lower[i]!), upper[i]!)
    }
    values.input.set(x.subarray(k * n, (k + 1) * n))
    values.input.set(u.subarray(k * m, (k + 1) * m), n)
    values.input[n + m] = k
    values.run()
    x.set(values.output.subarray(0, n), (k + 1) * n)
    cost += values.output[n]!
  }
  terminalValue.input.set(x.subarray(steps * n))
  terminalValue.run()
  return { x, u, cost: cost + terminalValue.output[0]! }
}

function readControls(model: DiscreteModel, steps: number, told: Float64Array | undefined): Float64Array {
  const { controlCount: m, lower, upper } = model
  const u = told ?? new Float64Array(steps * m)
  if (u.length !== steps * m) {
    throw new RangeError(`initialControls has ${u.length} values; ${steps} steps of ${m} take ${steps * m}`)
  }
  const at = u.findIndex((value) => !Number.isFinite(value))
  if (at >= 0) throw new RangeError(`initialControls[${at}] is ${u[at]!}; it must be a finite number`)
  return u.map((value, i) => Math.min(Math.max(value, lower[i % m]!), upper[i % m]!))
}
