import * as costate from 'costate'
import { main, task, type Cluster } from 'costate'
import { solveDiscreteRiccati } from 'costate/control'
import { distributeComputation, parameterGrid } from 'costate/primitives'

/**
 * A parameter sweep: which weights of a regulator bring a cart to rest for the least cost? Each point of the grid is a task, which
 * designs the regulator for its weights and drives the cart with it. A regulator is the best for its own weights and for no
 * others, so the sweep must find the very weights that the drive is judged by.
 */
const judged = { position: 10, speed: 1, force: 1 }
const stepS = 0.05
const A = Float64Array.of(1, stepS, 0, 1)
const B = Float64Array.of(stepS ** 2 / 2, stepS)

interface Weights {
  readonly position: number
  readonly speed: number
}

/** What it costs to drive the cart from one metre away to rest with the regulator for these weights. */
export const drive = task(import.meta, 'drive', async ({ position, speed }: Weights) => {
  const Q = Float64Array.of(position, 0, 0, speed)
  const { K } = solveDiscreteRiccati({ A, B, Q, R: Float64Array.of(judged.force) })
  let [x, v, cost] = [1, 0, 0]
  for (let step = 0; step < 4_000; step++) {
    const force = -(K[0]! * x + K[1]! * v)
    cost += judged.position * x ** 2 + judged.speed * v ** 2 + judged.force * force ** 2
    ;[x, v] = [x + stepS * v + B[0]! * force, v + B[1]! * force]
  }
  return cost
})

/** Sweeps over `count` weights each, odd so that the right ones are among them. */
export async function sweepWeights(cluster: Cluster, count: number): Promise<{ best: Weights; isRight: boolean }> {
  const points = parameterGrid({
    position: { from: 0.1, to: 1_000, count, scale: 'log' },
    speed: { from: 0.01, to: 100, count, scale: 'log' },
  })
  const costs = await distributeComputation(drive, points, cluster)
  const best = points[costs.indexOf(Math.min(...costs))]!
  const isNear = (found: number, right: number): boolean => Math.abs(found / right - 1) < 1e-9
  return { best, isRight: isNear(best.position, judged.position) && isNear(best.speed, judged.speed) }
}

main(import.meta, async () => {
  const [count = 41, workers = 2] = process.argv.slice(2).map(Number)
  // On a SLURM cluster: costate.createSlurmCluster({ workers, cores: 1, memory: '500MB', walltime: '30min' })
  await using cluster = await costate.createLocalCluster({ workers })
  const { best, isRight } = await sweepWeights(cluster, count)
  console.log(
    `${count ** 2} designs: the best weighs position ${best.position.toFixed(3)}, speed ${best.speed.toFixed(3)}`,
  )
  console.log(isRight ? 'right: these are the weights that it is judged by' : 'wrong: it is judged by 10 and 1')
  if (!isRight) process.exitCode = 1
})
