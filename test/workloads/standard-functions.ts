import { type Cluster, task } from 'costate'
import { distributeComputation, haltonPoints } from 'costate/primitives'

import { CmaEs } from '../../libs/primitives/search/cma-es.js'
import { chunksOf, range, sum } from './data-files.js'
import { branin, hartmann3 } from './optimisation.js'
import type { Workload } from './workload.js'

type Vector = readonly number[]

/** A test function, its bounds, and where the collection evaluates it. */
interface TestFunction {
  readonly f: (x: Vector) => number
  readonly bounds: readonly (readonly [low: number, high: number])[]
  readonly at: Vector
}

const cube = (low: number, high: number, d: number): (readonly [number, number])[] =>
  range(0, d).map(() => [low, high] as const)

export const rosenbrock = (x: Vector): number =>
  sum(x.slice(1).map((next, i) => 100 * (next - x[i]! ** 2) ** 2 + (1 - x[i]!) ** 2))
export const sphere = (x: Vector): number => sum(x.map((value) => value * value))
export const ellipsoid = (x: Vector): number =>
  sum(x.map((value, i) => 10 ** ((6 * i) / (x.length - 1)) * value * value))
export const ackley = (x: Vector): number =>
  -20 * Math.exp(-0.2 * Math.sqrt(sphere(x) / x.length)) -
  Math.exp(sum(x.map((value) => Math.cos(2 * Math.PI * value))) / x.length) +
  20 +
  Math.E

function goldsteinPrice([x = 0, y = 0]: Vector): number {
  const first = 1 + (x + y + 1) ** 2 * (19 - 14 * x + 3 * x * x - 14 * y + 6 * x * y + 3 * y * y)
  return first * (30 + (2 * x - 3 * y) ** 2 * (18 - 32 * x + 12 * x * x + 48 * y - 36 * x * y + 27 * y * y))
}

/** The functions of the collection (Surjanovic & Bingham; Hansen et al., BBOB), in its order. */
const functions: readonly TestFunction[] = [
  {
    f: ([x = 0, y = 0]) => branin(x, y),
    bounds: [
      [-5, 10],
      [0, 15],
    ],
    at: [-1.25, 8.385255],
  },
  { f: hartmann3, bounds: cube(0, 1, 3), at: [0.25, 0.559017, 0.368034] },
  { f: rosenbrock, bounds: cube(-5, 10, 2), at: [-1.25, 3.385255] },
  {
    f: rosenbrock,
    bounds: cube(-5, 10, 10),
    at: [-1.25, 3.385255, 0.52051, 5.155765, 2.29102, -0.573725, 4.06153, 1.196785, 5.83204, 2.967295],
  },
  {
    f: (x) => 10 * x.length + sum(x.map((value) => value * value - 10 * Math.cos(2 * Math.PI * value))),
    bounds: cube(-5.12, 5.12, 10),
    at: [-2.56, 0.604334, -1.351332, 1.813002, -0.142664, -2.09833, 1.066004, -0.889661, 2.274673, 0.319007],
  },
  {
    f: ackley,
    bounds: cube(-32.768, 32.768, 10),
    at: [-16.384, 3.867738, -8.648524, 11.603214, -0.913048, -13.429309, 6.822429, -5.693833, 14.557905, 2.041643],
  },
  {
    f: sphere,
    bounds: cube(-5, 5, 10),
    at: [-2.5, 0.59017, -1.31966, 1.77051, -0.13932, -2.04915, 1.04102, -0.86881, 2.22136, 0.31153],
  },
  {
    f: ellipsoid,
    bounds: cube(-5, 5, 10),
    at: [-2.5, 0.59017, -1.31966, 1.77051, -0.13932, -2.04915, 1.04102, -0.86881, 2.22136, 0.31153],
  },
  {
    f: ([x = 0, y = 0]) => (4 - 2.1 * x * x + x ** 4 / 3) * x * x + x * y + (-4 + 4 * y * y) * y * y,
    bounds: [
      [-3, 3],
      [-2, 2],
    ],
    at: [-1.5, 0.236068],
  },
  { f: goldsteinPrice, bounds: cube(-2, 2, 2), at: [-1, 0.236068] },
  {
    f: (x) => 0.5 * sum(x.map((value) => value ** 4 - 16 * value * value + 5 * value)),
    bounds: cube(-5, 5, 5),
    at: [-2.5, 0.59017, -1.31966, 1.77051, -0.13932],
  },
]

export const valueOf = task(import.meta, 'valueOf', async ({ index, at }: { index: number; at: Vector }) =>
  functions[index]!.f(at),
)

/**
 * CMA-ES from the best place that one coordinate after the other finds on a grid, and widely from points of Halton's sequence, so that
 * functions of both kinds come to their global minimum.
 */
export const minimise = task(import.meta, 'minimise', async ({ index, start }: { index: number; start: number }) => {
  const { f, bounds } = functions[index]!
  const [point] = haltonPoints(1, bounds.length, start)
  let x = bounds.map(([low, high], j) => low + (high - low) * (start === 0 ? 0.5 : point![j]!))
  for (let sweep = 0; start === 0 && sweep < 2; sweep++) {
    for (const [j, [low, high]] of bounds.entries()) {
      const places = range(0, 201).map((k) => x.map((value, i) => (i === j ? low + ((high - low) * k) / 200 : value)))
      x = places.reduce((best, place) => (f(place) < f(best) ? place : best))
    }
  }
  const width = Math.min(...bounds.map(([low, high]) => high - low))
  const settings = { dimension: x.length, sizes: x.map(() => Infinity), nSamples: 12_000, seed: start }
  const search = new CmaEs({ ...settings, start: Float64Array.from(x), spread: width * (start === 0 ? 0.005 : 0.2) })
  let best = { f: f(x), x }
  for (let points = search.ask(); points.length > 0; points = search.ask()) {
    const inside = points.map(({ point }) =>
      Array.from(point, (value, j) => Math.min(Math.max(value, bounds[j]![0]), bounds[j]![1])),
    )
    const values = Float64Array.from(inside, f)
    search.tell(values)
    values.forEach((value, k) => {
      if (value < best.f) best = { f: value, x: inside[k]! }
    })
  }
  return best
})

async function answerStandardFunctions(cluster: Cluster): Promise<Record<string, unknown>> {
  const values = await distributeComputation(
    valueOf,
    functions.map(({ at }, index) => ({ index, at })),
    cluster,
  )
  const orders = functions.flatMap((_, index) => range(0, 5).map((start) => ({ index, start })))
  const found = await distributeComputation(minimise, orders, cluster)
  const best = functions.map((_, index) =>
    found.slice(5 * index, 5 * index + 5).reduce((one, other) => (other.f < one.f ? other : one)),
  )
  return { f_test: values, f_min: best.map(({ f }) => f) }
}

/** Where a run of CMA-ES begins (Hansen, arXiv:1604.00772). */
const starts = {
  sphere10: { f: sphere, start: new Array<number>(10).fill(1), spread: 0.5 },
  elli10: { f: ellipsoid, start: new Array<number>(10).fill(1), spread: 0.5 },
  ros10: { f: rosenbrock, start: new Array<number>(10).fill(0), spread: 0.5 },
  ros2: { f: rosenbrock, start: [-1.2, 1], spread: 0.5 },
  ackley10: { f: ackley, start: new Array<number>(10).fill(15), spread: 8 },
} as const
export type StartName = keyof typeof starts

/** The values of points. */
export const evaluateAll = task(
  import.meta,
  'evaluateAll',
  async ({ name, points }: { name: StartName; points: readonly Float64Array[] }) =>
    points.map((point) => starts[name].f([...point])),
)

/** Points to a task. */
const batchSize = 40

/** How many evaluations took runs of CMA-ES to 1e-9, Infinity where they did not get there; a generation of all runs at a time. */
export async function countEvaluations(cluster: Cluster, name: StartName, seeds: readonly number[]): Promise<number[]> {
  const { start, spread } = starts[name]
  const settings = {
    dimension: start.length,
    sizes: start.map(() => Infinity),
    nSamples: 20_000,
    start: Float64Array.from(start),
    spread,
  }
  const runs = seeds.map((seed) => ({ search: new CmaEs({ ...settings, seed }), count: 0, done: false }))
  for (;;) {
    const asked = runs.flatMap((run) => {
      const points = run.done ? [] : run.search.ask().map(({ point }) => point)
      return points.length === 0 ? [] : [{ run, points }]
    })
    if (asked.length === 0) return runs.map(({ count, done }) => (done ? count : Infinity))
    const orders = chunksOf(
      asked.flatMap(({ points }) => points),
      batchSize,
    ).map((points) => ({ name, points }))
    const values = (await distributeComputation(evaluateAll, orders, cluster)).flat()
    for (const { run, points } of asked) {
      const own = Float64Array.from(values.splice(0, points.length))
      run.search.tell(own)
      run.count += own.length
      run.done = Math.min(...own) <= 1e-9
    }
  }
}

async function answerCounts(cluster: Cluster): Promise<Record<string, unknown>> {
  const answer: Record<string, unknown> = {}
  for (const name of Object.keys(starts) as StartName[]) {
    const counts = await countEvaluations(cluster, name, range(1, 16))
    const sorted = [...counts].sort((a, b) => a - b)
    const reached = sorted.filter(Number.isFinite)
    answer[name] = {
      success: reached.length,
      runs: counts.length,
      min: reached[0],
      median: sorted[7],
      max: reached.at(-1),
    }
  }
  return answer
}

export const standardFunctionWorkloads: readonly Workload[] = [
  { name: 'bbo-cma-es-counts', section: 'optimisation', answer: answerCounts },
  { name: 'bbo-standard-functions', section: 'optimisation', answer: answerStandardFunctions },
]
