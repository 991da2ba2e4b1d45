import {
  defineDiscreteProblem,
  denseMatrix,
  rungeKuttaStep,
  solveContinuousRiccati,
  solveDynamicProgram,
  type PolicySolution,
} from 'costate/control'

/** A pendulum with a motor: θ″ = gain · u - gravity · sin θ - damping · θ′; θ = 0 hangs, θ = π stands on its head. */
export interface Plant {
  /** g / l, s⁻². */
  readonly gravity: number
  /** s⁻¹. */
  readonly damping: number
  /** What comes of the torque that is asked for, per unit of inertia. */
  readonly gain: number
}

export const nominal: Plant = { gravity: 9.81, damping: 0.1, gain: 1 }

/** Seconds; steps of the plan, and of a whole run, at the end of which the pendulum should stand still. */
export const stepS = 0.05
export const planSteps = 30
export const runSteps = 100

/** What is still to be chosen of a controller. */
export interface Design {
  /** How much of the feedback along the plan is used: 0 plays the plan as it is. */
  readonly feedback: number
  /** Weights of angle and rate against a torque's of 1, for the regulator that holds the pendulum upright. */
  readonly angleWeight: number
  readonly rateWeight: number
}

/** The swing-up of least cost: the torques squared, and 50 times how far the pendulum is from standing still after 1.5 s. */
const swingUp = defineDiscreteProblem({
  name: 'swing-up',
  states: ['angle', 'rate'],
  controls: ['torque'],
  steps: planSteps,
  next: rungeKuttaStep(
    ({ angle, rate }, { torque }) => ({
      angle: rate,
      rate: torque.minus(angle.sin().times(nominal.gravity)).minus(rate.times(nominal.damping)),
    }),
    stepS,
  ),
  stageCost: (_x, { torque }) => torque.squared().times(0.05 * stepS),
  terminalCost: ({ angle, rate }) => angle.minus(Math.PI).squared().plus(rate.squared()).times(50),
  initial: { angle: 0, rate: 0 },
})

/** Torques and feedback gains for the swing-up, by iLQR, from torques that are all the same. */
export function planSwingUp(torque: number): PolicySolution {
  const initialControls = new Float64Array(planSteps).fill(torque)
  const plan = solveDynamicProgram(swingUp, { method: 'ilqr', initialControls, tolerance: 1e-11 })
  if (plan.status !== 'solved') throw new Error(`no swing-up from a torque of ${torque}: ${plan.message}`)
  return plan
}

/** The gains of the regulator that holds the pendulum upright, float64[2]: linearised there, by its Riccati equation. */
export function regulate({ angleWeight, rateWeight }: Design): Float64Array {
  const { K } = solveContinuousRiccati({
    A: denseMatrix([
      [0, 1],
      [nominal.gravity, -nominal.damping],
    ]),
    B: denseMatrix([[0], [1]]),
    Q: denseMatrix([
      [angleWeight, 0],
      [0, rateWeight],
    ]),
    R: Float64Array.of(1),
  })
  return K
}

/** What a controller did to a plant. */
export interface Run {
  /** Torques squared, and from the end of the plan on 10 times the squared distance from standing still, over time. */
  readonly cost: number
  /** Degrees from upright at the end of the run. */
  readonly miss: number
  /** float64[runSteps + 1], radians. */
  readonly angles: Float64Array
}

/** Runs controllers of one design on plants that differ from the nominal one. */
export function createSimulator(design: Design, plan = planSwingUp(0)): (plant: Plant) => Run {
  const hold = regulate(design)
  return ({ gravity, damping, gain }) => {
    const [angles, h] = [new Float64Array(runSteps + 1), stepS]
    let [angle, rate, cost] = [0, 0, 0]
    for (let k = 0; k < runSteps; k++) {
      const [offAngle, offRate] =
        k < planSteps ? [angle - plan.x[2 * k]!, rate - plan.x[2 * k + 1]!] : [angle - Math.PI, rate]
      const torque =
        k < planSteps
          ? plan.u[k]! + design.feedback * (plan.K[2 * k]! * offAngle + plan.K[2 * k + 1]! * offRate)
          : -hold[0]! * offAngle - hold[1]! * offRate
      cost += (0.05 * torque ** 2 + (k < planSteps ? 0 : 10 * (offAngle ** 2 + offRate ** 2))) * h
      const acceleration = (a: number, w: number): number => gain * torque - gravity * Math.sin(a) - damping * w
      const [w1, a1] = [rate, acceleration(angle, rate)]
      const [w2, a2] = [rate + (h / 2) * a1, acceleration(angle + (h / 2) * w1, rate + (h / 2) * a1)]
      const [w3, a3] = [rate + (h / 2) * a2, acceleration(angle + (h / 2) * w2, rate + (h / 2) * a2)]
      const [w4, a4] = [rate + h * a3, acceleration(angle + h * w3, rate + h * a3)]
      angle += (h / 6) * (w1 + 2 * w2 + 2 * w3 + w4)
      rate += (h / 6) * (a1 + 2 * a2 + 2 * a3 + a4)
      angles[k + 1] = angle
    }
    return { cost, miss: (Math.abs(angle - Math.PI) * 180) / Math.PI, angles }
  }
}
