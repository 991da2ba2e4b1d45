import { createInlineContext, task } from 'costate'
import { differentiateLoss, type Network, predict, trainNetwork } from 'costate/learning'
import { distributedOptimization, type Evaluation } from 'costate/primitives'

import { checkAtMost, checkEach, checkSame, type Check } from '../demo/check.js'
import type { Setting } from '../demo/demo.js'
import { training, validation } from './two-moons.js'

/** What is searched. */
export interface Candidate {
  /** Units of the hidden layer. */
  readonly hidden: number
  /** Step size of the descent. */
  readonly rate: number
}

const networkOf = (hidden: number): Network => ({ layers: [2, hidden, 1], output: 'sigmoid' })

/** All candidates begin with the same random numbers, so that they differ by their parameters alone. */
function train({ hidden, rate }: Candidate): Float64Array {
  const { rng } = createInlineContext({ seed: 910 })
  const { parameters } = trainNetwork({
    ...{ network: networkOf(hidden), ...training, epochs: 200, learningRate: rate, optimizer: 'gradientDescent' },
    draw: () => rng.uniform(),
  })
  return parameters
}

/** The objective: trains a network and gives its loss on points that it has not seen. */
export const trainAndEvaluate = task(import.meta, 'trainAndEvaluate', async (candidate: Candidate) => {
  const { x, y } = validation
  return differentiateLoss(networkOf(candidate.hidden), train(candidate), x, y).loss
})

/** What a network thinks of a grid of points, float64[rows, columns]: how likely they are of class 1. */
export const mapNetwork = task(import.meta, 'mapNetwork', async (candidate: Candidate) =>
  predict(networkOf(candidate.hidden), train(candidate), mapPoints()),
)

/** Where the network is asked: 240 columns over x₁ from -1.6 to 2.6, 160 rows over x₂ from 1.6 down to -1.2. */
export const mapArea = { columns: 240, rows: 160, x1: [-1.6, 2.6], x2: [-1.2, 1.6] } as const

function mapPoints(): Float64Array {
  const { columns, rows, x1, x2 } = mapArea
  const points = new Float64Array(2 * rows * columns)
  for (let k = 0; k < rows * columns; k++) {
    points[2 * k] = x1[0] + ((x1[1] - x1[0]) * ((k % columns) + 0.5)) / columns
    points[2 * k + 1] = x2[1] - ((x2[1] - x2[0]) * (Math.floor(k / columns) + 0.5)) / rows
  }
  return points
}

export interface SearchResult {
  readonly grid: readonly Evaluation<Candidate>[]
  readonly bestOfGrid: Candidate
  readonly search: readonly Evaluation<Candidate>[]
  readonly best: Candidate
  readonly bestValue: number
  /** What the best network thinks, as `mapNetwork` gives it. */
  readonly map: Float64Array
}

export async function searchHyperparameters({ isReduced, startCluster, follow, say }: Setting): Promise<SearchResult> {
  await using cluster = await startCluster({ workers: 2 })

  // First a grid: few values of each, all combinations.
  const grid = await distributedOptimization({
    ...{ cluster, objective: trainAndEvaluate, method: 'grid', nSamples: 9, onProgress: follow('grid', 'trainings') },
    parameterRanges: { hidden: { values: [4, 8, 16] }, rate: { values: [0.1, 0.5, 1] } },
  })
  say(`best of the grid: ${describe(grid.bestParameters)}, loss ${grid.bestValue.toFixed(4)}`)

  // Then wider ranges: CMA-ES looks around the best of each generation for the next. The rate is searched by its logarithm.
  const search = await distributedOptimization({
    ...{ cluster, objective: trainAndEvaluate, method: 'cmaes', seed: 3, onProgress: follow('search', 'trainings') },
    parameterRanges: { hidden: { low: 2, high: 32, integer: true }, rate: { low: 0.05, high: 5, scale: 'log' } },
    ...{ nSamples: isReduced ? 30 : 120, populationSize: 10 },
  })
  say(`best of the search: ${describe(search.bestParameters)}, loss ${search.bestValue.toFixed(4)}`)

  return {
    ...{ grid: grid.history, bestOfGrid: grid.bestParameters },
    ...{ search: search.history, best: search.bestParameters, bestValue: search.bestValue },
    map: await cluster.submit(mapNetwork, search.bestParameters).result(),
  }
}

export function describe({ hidden, rate }: Candidate): string {
  return `${hidden} hidden units, rate ${rate.toPrecision(3)}`
}

/** Loss on the points that were kept back; of 4, 8 and 16 hidden units, each with rates 0.1, 0.5 and 1. */
export const publishedLosses = [
  ...[0.3305101160287321, 0.33211154046498254, 0.3292066775323947],
  ...[0.3231931777606236, 0.30522020943626055, 0.19607692052644862],
  ...[0.3225463816615609, 0.30268508373936315, 0.1805765171357586],
]
const source = 'the same networks trained with NumPy'

export function checkSearch({ grid, bestOfGrid, bestValue }: SearchResult): Check[] {
  const losses = [4, 8, 16].flatMap((hidden) =>
    [0.1, 0.5, 1].map(
      (rate) => grid.find((one) => one.parameters.hidden === hidden && one.parameters.rate === rate)?.value ?? NaN,
    ),
  )
  const best = {
    what: 'best of the grid',
    ours: describe(bestOfGrid),
    reference: describe({ hidden: 16, rate: 1 }),
    source,
  }
  const least = Math.min(...publishedLosses)
  return [
    checkEach({
      what: 'losses of the 9 of the grid',
      ours: losses,
      reference: publishedLosses,
      relative: 1e-6,
      source,
    }),
    checkSame(best),
    checkAtMost({
      what: 'loss of the best of the search',
      ours: bestValue,
      reference: least,
      source: `${source}: best of the grid`,
    }),
  ]
}
