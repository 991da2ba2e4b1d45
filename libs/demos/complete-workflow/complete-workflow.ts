import { createInlineContext, task, type TaskContext } from 'costate'
import type { PolicySolution } from 'costate/control'
import {
  aggregateStatistics,
  distributeComputation,
  distributedOptimization,
  monteCarlo,
  type MonteCarloResult,
  polynomialChaos,
  type PolynomialChaosResult,
} from 'costate/primitives'

import { checkAtMost, checkEach, checkNumber, type Check } from '../demo/check.js'
import type { Setting } from '../demo/demo.js'
import { createSimulator, type Design, nominal, type Plant, planSwingUp, regulate } from './pendulum.js'

/** The first design plays the plan as it is, and then holds the pendulum with weights of 1. */
export const firstDesign: Design = { feedback: 0, angleWeight: 1, rateWeight: 1 }

/** What is not known of the plant: independent, around what it was designed for. */
export const uncertain = {
  gravity: { distribution: 'normal', mean: nominal.gravity, std: 0.1 },
  damping: { distribution: 'uniform', low: 0.05, high: 0.15 },
  gain: { distribution: 'normal', mean: nominal.gain, std: 0.01 },
} as const

function drawPlant(rng: TaskContext['rng']): Plant {
  const { gravity, damping, gain } = uncertain
  return {
    gravity: gravity.mean + gravity.std * rng.normal(),
    damping: damping.low + (damping.high - damping.low) * rng.uniform(),
    gain: gain.mean + gain.std * rng.normal(),
  }
}

/** Design: the swing-up of least cost from some torque to begin with. */
export const plan = task(import.meta, 'plan', async (torque: number) => planSwingUp(torque))

// Each worker plans once, when it first needs to.
let firstSimulator: ReturnType<typeof createSimulator> | undefined
const simulateFirst = (plant: Plant) => (firstSimulator ??= createSimulator(firstDesign))(plant)

/** Robustness: one plant of many, from the random stream of its number. Cost, miss, gravity, gain. */
export const samplePlant = task(import.meta, 'samplePlant', (_: number, { rng }: TaskContext) => {
  const plant = drawPlant(rng)
  const { cost, miss } = simulateFirst(plant)
  return [cost, miss, plant.gravity, plant.gain]
})

/** Sensitivity: the cost as a function of what is not known. */
export const costOf = task(import.meta, 'costOf', async (plant: Plant) => simulateFirst(plant).cost)

/** What a design comes to on many plants: those of the streams 0, 1, … of a seed. */
export const assess = task(
  import.meta,
  'assess',
  async ({ design, count, seed }: { design: Design; count: number; seed: number }) => {
    const simulate = createSimulator(design)
    const runs = Array.from({ length: count }, (_, taskIndex) =>
      simulate(drawPlant(createInlineContext({ seed, taskIndex }).rng)),
    )
    return {
      costs: Float64Array.from(runs, ({ cost }) => cost),
      misses: Float64Array.from(runs, ({ miss }) => miss),
      angles: runs.slice(0, 12).map(({ angles }) => angles),
    }
  },
)

/** Tuning: what is to be small is the mean and twice the spread of the cost, on 100 plants that no other step looks at. */
export const risk = task(import.meta, 'risk', async (design: Design) => {
  const { costs } = await assess({ design, count: 100, seed: 99 })
  return riskOf(costs)
})

export function riskOf(costs: Float64Array): number {
  const { mean, std } = aggregateStatistics([...costs])
  return mean + 2 * std
}

type Assessment = Awaited<ReturnType<typeof assess>>

export interface WorkflowResult {
  readonly plan: PolicySolution
  /** Of the regulator of the first design. */
  readonly gains: Float64Array
  readonly robustness: MonteCarloResult
  readonly chaos: PolynomialChaosResult
  readonly tuned: Design
  /** Designs that the tuning looked at. */
  readonly looked: number
  /** On the same plants. */
  readonly before: Assessment
  readonly after: Assessment
}

export async function designController({ isReduced, startCluster, say, follow }: Setting): Promise<WorkflowResult> {
  await using cluster = await startCluster({ workers: 2 })
  const seed = 2024

  // Model and design. The plan is sought from several beginnings; the best is taken.
  const plans = await distributeComputation(plan, [0, -3, 3, 6], cluster, { name: 'swing-up' })
  const best = plans.reduce((one, other) => (other.cost < one.cost - 1e-9 ? other : one))
  const gains = regulate(firstDesign)
  say(`swing-up: cost ${best.cost.toFixed(6)}; regulator: K = [${[...gains].map((k) => k.toFixed(3)).join(', ')}]`)

  // Is it robust? Many plants, until the mean cost is known well enough.
  const robustness = await monteCarlo({
    ...{ cluster, sample: samplePlant, n: isReduced ? 1_000 : 10_000, seed, keepSamples: true },
    onProgress: follow('Monte Carlo', 'plants'),
  })
  say(
    `first design: mean cost ${robustness.mean.toFixed(3)}, 95 % of the plants below ${robustness.quantiles['0.95']!.toFixed(2)}`,
  )

  // What is it sensitive to? The cost as a polynomial in what is not known.
  const chaos = await polynomialChaos({
    ...{ cluster, model: costOf, inputs: uncertain, degree: 4, onProgress: follow('polynomial chaos', 'nodes') },
  })
  const { gravity, damping, gain } = chaos.sobol.total
  const shares = [gravity, damping, gain].map((share) => `${(100 * share!).toFixed(0)} %`)
  say(`of its variance, gravity has a part in ${shares[0]}, damping in ${shares[1]}, gain in ${shares[2]}`)

  // Tune what is still open, and look at both designs on the same plants, which the tuning has not seen.
  const tuning = await distributedOptimization({
    ...{ cluster, objective: risk, method: 'cmaes', seed: 1, onProgress: follow('tuning', 'designs') },
    parameterRanges: {
      feedback: [0, 2],
      angleWeight: { low: 0.1, high: 1_000, scale: 'log' },
      rateWeight: { low: 0.1, high: 1_000, scale: 'log' },
    },
    ...{ nSamples: isReduced ? 60 : 240, populationSize: 12 },
  })
  const count = isReduced ? 1_000 : 10_000
  const designs = [firstDesign, tuning.bestParameters]
  const [before, after] = await distributeComputation(
    assess,
    designs.map((design) => ({ design, count, seed })),
    cluster,
  )
  say(`tuned: mean plus twice the spread ${riskOf(after!.costs).toFixed(3)}, was ${riskOf(before!.costs).toFixed(3)}`)

  const tuned = { tuned: tuning.bestParameters, looked: tuning.history.length, before: before!, after: after! }
  return { plan: best, gains, robustness, chaos, ...tuned }
}

/** The plan of least cost, as IPOPT finds it from 13 beginnings: torques of the 30 steps, N m, and the last state. */
export const published = {
  cost: 4.0838399291353555,
  torques: [
    ...[7.345320446316392, 8.686405370405186, 9.821174782755985, 10.721247349422509, 11.365075781795422],
    ...[11.739851128333047, 11.843524939230193, 11.686394616930741, 11.291542938188734, 10.69356112269212],
    ...[9.935438757627164, 9.064105233430416, 8.125566373778602, 7.1606684805578595, 6.202225104769338],
    ...[5.273747838495905, 4.389574849617565, 3.555941008242529, 2.7724956319483485, 2.033874129183085],
    ...[1.3310778246779178, 0.6525494800654157, -0.01507571070246242, -0.686513379264141, -1.3776180621732665],
    ...[-2.1053667449205746, -2.887998311773167, -3.7452826322975548, -4.698905829248502, -5.772967139925446],
  ],
  last: [3.1178469380291554, 0.006356790362759768],
}

/** The regulator's Riccati equation solved by hand: two quadratic equations, one after the other. */
export function gainsByHand({ angleWeight, rateWeight }: Design): number[] {
  const { gravity, damping } = nominal
  const first = gravity + Math.sqrt(gravity ** 2 + angleWeight)
  return [first, -damping + Math.sqrt(damping ** 2 + 2 * first + rateWeight)]
}

export function checkWorkflow(result: WorkflowResult): Check[] {
  const { plan: found, gains, robustness, chaos, before, after } = result
  const ipopt = 'IPOPT, the same minimum from 13 beginnings'
  const textbook = 'its Riccati equation by hand (Anderson & Moore 1990)'
  const sampled = `Monte Carlo with ${robustness.n} samples, another method`
  const standardErrors = 4 * robustness.standardError
  return [
    checkNumber({
      what: 'cost of the swing-up',
      ours: found.cost,
      reference: published.cost,
      relative: 1e-8,
      source: ipopt,
    }),
    checkEach({ what: 'its torques', ours: found.u, reference: published.torques, absolute: 1e-4, source: ipopt }),
    checkEach({
      what: 'its last state',
      ours: found.x.slice(-2),
      reference: published.last,
      absolute: 1e-5,
      source: ipopt,
    }),
    checkEach({
      what: 'gains of the regulator',
      ours: gains,
      reference: gainsByHand(firstDesign),
      relative: 1e-9,
      source: textbook,
    }),
    checkNumber({
      ...{ what: 'mean cost by polynomial chaos', ours: chaos.mean, reference: robustness.mean, source: sampled },
      absolute: Number(standardErrors.toPrecision(2)),
    }),
    checkNumber({
      ...{ what: 'spread of the cost by polynomial chaos', ours: Math.sqrt(chaos.variance), reference: robustness.std },
      ...{ relative: 0.1, source: sampled },
    }),
    checkNumber({
      ...{ what: 'mean cost of the first design, plant by plant', ours: aggregateStatistics([...before.costs]).mean },
      ...{ reference: robustness.mean, relative: 1e-12, source: 'monteCarlo() on the same plants' },
    }),
    checkAtMost({
      ...{ what: 'mean plus twice the spread, tuned', ours: riskOf(after.costs), reference: riskOf(before.costs) },
      source: 'the first design on the same plants',
    }),
  ]
}
