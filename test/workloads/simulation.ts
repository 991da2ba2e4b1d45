import { type Cluster, task } from 'costate'
import { integrateAdaptive } from 'costate/control'
import { distributeComputation } from 'costate/primitives'

import type { Workload } from './workload.js'

const precise = { relativeTolerance: 1e-12, absoluteTolerance: 1e-14, maxSteps: 1_000_000 }

/** The period of a pendulum of this amplitude, in degrees: four times from rest until it hangs. */
export const pendulumPeriod = task(import.meta, 'pendulumPeriod', async (amplitude: number) => {
  const { events } = integrateAdaptive(
    (_t, x, out) => {
      out[0] = x[1]!
      out[1] = -Math.sin(x[0]!)
    },
    { from: 0, to: 100 },
    Float64Array.of((amplitude * Math.PI) / 180, 0),
    { ...precise, events: { hangs: { value: (_t, x) => x[0]!, terminal: true } } },
  )
  return 4 * events[0]!.t
})

/** How long the van der Pol oscillator takes from one rise through 0 to the next, once it is on its limit cycle. */
export const vanDerPolPeriod = task(import.meta, 'vanDerPolPeriod', async (mu: number) => {
  const { events } = integrateAdaptive(
    (_t, x, out) => {
      out[0] = x[1]!
      out[1] = mu * (1 - x[0]! ** 2) * x[1]! - x[0]!
    },
    { from: 0, to: 200 },
    Float64Array.of(2, 0),
    { ...precise, events: { rise: { value: (_t, x) => x[0]!, direction: 'rising' } } },
  )
  return events.at(-1)!.t - events.at(-2)!.t
})

const pendulumAmplitudes = [10, 30, 60, 90, 120, 150, 170, 179]

/** The mean of log |r (1 - 2x)| along an orbit of the logistic map. */
export const lyapunovExponent = task(import.meta, 'lyapunovExponent', async (r: number) => {
  let x = 0.2
  for (let k = 0; k < 1_000; k++) x = r * x * (1 - x)
  let sum = 0
  for (let k = 0; k < 200_000; k++) {
    sum += Math.log(Math.abs(r * (1 - 2 * x)))
    x = r * x * (1 - x)
  }
  return sum / 200_000
})

/** The two points that r = 3.2 alternates between. */
export const alternation = task(import.meta, 'alternation', async (r: number) => {
  let x = 0.2
  for (let k = 0; k < 2_000; k++) x = r * x * (1 - x)
  return [x, r * x * (1 - x)].sort((a, b) => a - b)
})

async function answerLogistic(cluster: Cluster): Promise<Record<string, unknown>> {
  const period2 = await cluster.submit(alternation, 3.2).result()
  const [calm, four, chaos] = await distributeComputation(lyapunovExponent, [3.2, 3.5, 4], cluster)
  return { period2, lyapunov_r3_2: calm, lyapunov_r3_5: four, lyapunov_r4: chaos }
}

export const simulationWorkloads: readonly Workload[] = [
  { name: 'sweep-logistic-map', section: 'simulation', answer: answerLogistic },
  {
    name: 'sweep-pendulum-period',
    section: 'simulation',
    answer: async (cluster) => ({ period: await distributeComputation(pendulumPeriod, pendulumAmplitudes, cluster) }),
  },
  {
    name: 'sweep-van-der-pol-period',
    section: 'simulation',
    answer: async (cluster) => ({ period: await distributeComputation(vanDerPolPeriod, [1, 2, 5], cluster) }),
  },
]
