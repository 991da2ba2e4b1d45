import * as costate from 'costate'
import { main, task, type Cluster, type TaskContext } from 'costate'
import { predict, trainNetwork } from 'costate/learning'
import { combinePredictions, ensembleTrain } from 'costate/primitives'

/**
 * Ensemble training: many small networks learn the same noisy curve, each from its own random numbers. The mean of what they say is
 * nearer to the curve than they are on average, and how far they differ says how sure they are.
 */
const network = { layers: [1, 16, 1], activation: 'tanh', output: 'linear' } as const
const epochs = 800

interface Rows {
  readonly x: Float64Array
  readonly y: Float64Array
}

/** Trains one member, and asks it about the points. */
export const trainMember = task(
  import.meta,
  'trainMember',
  async (_member: number, { rows, points }: { rows: Rows; points: Float64Array }, ctx: TaskContext) => {
    const { parameters } = trainNetwork({
      ...{ network, ...rows, epochs, learningRate: 0.02, signal: ctx.signal },
      draw: () => ctx.rng.uniform(),
    })
    return predict(network, parameters, points)
  },
)

/** Trains so many members; errors are root mean squares over the curve without its noise. */
export async function trainEnsemble(
  cluster: Cluster,
  members: number,
): Promise<{ error: number; memberError: number; spread: number; isRight: boolean }> {
  const x = Float64Array.from({ length: 80 }, (_, i) => -3 + (6 * i) / 79)
  // Noise that is the same in every run.
  const rows: Rows = { x, y: x.map((value, i) => Math.sin(value) + 0.2 * Math.sin(1_234.5 * (i + 1))) }
  const points = Float64Array.from({ length: 101 }, (_, i) => -3 + 0.06 * i)
  const curve = points.map(Math.sin)
  const data = { rows, points }
  const predictions = await ensembleTrain({ cluster, trainFn: trainMember, data, members, seed: 1 })
  const { mean, std } = combinePredictions(predictions)
  const error = distance(mean, curve)
  const memberError = Math.sqrt(predictions.reduce((sum, own) => sum + distance(own, curve) ** 2, 0) / members)
  const spread = Math.sqrt(std.reduce((sum, value) => sum + value ** 2, 0) / std.length)
  return { error, memberError, spread, isRight: error < memberError && error < 0.1 }
}

function distance(a: Float64Array, b: Float64Array): number {
  return Math.sqrt(a.reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0) / a.length)
}

main(import.meta, async () => {
  const [members = 100, workers = 2] = process.argv.slice(2).map(Number)
  // On a SLURM cluster: costate.createSlurmCluster({ workers, cores: 1, memory: '500MB', walltime: '30min' })
  await using cluster = await costate.createLocalCluster({ workers })
  const { error, memberError, spread, isRight } = await trainEnsemble(cluster, members)
  console.log(
    `${members} members: they miss the curve by ${memberError.toFixed(4)}, and differ by ${spread.toFixed(4)}`,
  )
  const verdict = `the ensemble misses it by ${error.toFixed(4)}`
  console.log(isRight ? `right: ${verdict}` : `wrong: ${verdict}, less than its members and 0.1 was expected`)
  if (!isRight) process.exitCode = 1
})
