import * as costate from 'costate'
import { main, task, type Cluster, type TaskContext } from 'costate'
import { aggregateStatistics, distributeComputation, type Statistics } from 'costate/primitives'

/**
 * Distributed Monte Carlo: where is a noisy integrator that forgets (an Ornstein–Uhlenbeck process, dx = −θx dt + σ dW) after some
 * seconds? Each sample is a task with a random stream of its own, so the estimate is the same to the bit on any number of workers.
 * Mean and variance are known in closed form (Gardiner, Handbook of Stochastic Methods, 3rd ed. 2004, section 3.8.4).
 */
const model = { rate: 0.7, noise: 0.5, from: 1, endS: 2, steps: 200 }

const exact = {
  mean: model.from * Math.exp(-model.rate * model.endS),
  variance: (model.noise ** 2 / (2 * model.rate)) * (1 - Math.exp(-2 * model.rate * model.endS)),
}

/** One trajectory, by its exact transition from step to step. */
export const simulate = task(import.meta, 'simulate', async (_sample: number, { rng }: TaskContext) => {
  const { rate, noise, from, endS, steps } = model
  const decay = Math.exp((-rate * endS) / steps)
  const scatter = noise * Math.sqrt((1 - decay ** 2) / (2 * rate))
  let x = from
  for (let step = 0; step < steps; step++) x = decay * x + scatter * rng.normal()
  return x
})

/** Draws so many samples. They are right within four standard errors, which chance exceeds once in 16,000 times. */
export async function estimateEnd(
  cluster: Cluster,
  samples: number,
): Promise<{ statistics: Statistics; isRight: boolean }> {
  const numbers = Array.from({ length: samples }, (_, sample) => sample)
  const ends = await distributeComputation(simulate, numbers, cluster.with({ seed: 7 }))
  const statistics = aggregateStatistics(ends)
  const isMeanRight = Math.abs(statistics.mean - exact.mean) < 4 * Math.sqrt(exact.variance / samples)
  const isVarianceRight = Math.abs(statistics.variance / exact.variance - 1) < 4 * Math.sqrt(2 / samples)
  return { statistics, isRight: isMeanRight && isVarianceRight }
}

main(import.meta, async () => {
  const [samples = 10_000, workers = 2] = process.argv.slice(2).map(Number)
  // On a SLURM cluster: costate.createSlurmCluster({ workers, cores: 1, memory: '500MB', walltime: '30min' })
  await using cluster = await costate.createLocalCluster({ workers })
  const { statistics, isRight } = await estimateEnd(cluster, samples)
  console.log(`${samples} samples: mean ${statistics.mean}, standard deviation ${statistics.std}`)
  const known = `${exact.mean.toFixed(6)} and ${Math.sqrt(exact.variance).toFixed(6)} are exact`
  console.log(isRight ? `right: ${known}` : `wrong: ${known}`)
  if (!isRight) process.exitCode = 1
})
