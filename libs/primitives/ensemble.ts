import { shared, type Task } from '#libs/client'

import { countSettles, runOn, type RunOptions } from './run.js'

/** How to train an ensemble. */
export interface EnsembleTrainOptions<D, M> extends RunOptions {
  /** Trains a member on the data; `ctx.rng` is the member's own random stream. */
  readonly trainFn: Task<[member: number, data: D], M>
  /** Goes to each worker once; it is only read. */
  readonly data: D
  /** How many. */
  readonly members: number
  /** Of the members' random streams; 0 unless given. */
  readonly seed?: bigint | number
}

/**
 * Trains the members of an ensemble in parallel, each on the same data with random numbers of its own, which depend on seed and
 * member alone. With the first that fails the others are cancelled.
 *
 *     const models = await ensembleTrain({ cluster, trainFn: trainNetwork, data: { x, y }, members: 8, seed: 1 })
 *
 * @returns the members' models, in order.
 * @throws RangeError for no members; TaskError of a member that failed.
 */
export async function ensembleTrain<D, M>(options: EnsembleTrainOptions<D, M>): Promise<M[]> {
  const { trainFn, data, members, seed = 0 } = options
  if (!Number.isSafeInteger(members) || members < 1) {
    throw new RangeError(`ensembleTrain: members is ${members}; give a whole number from 1`)
  }
  return await runOn('ensembleTrain', options, async (run) => {
    const scattered = await run.broadcast(data)
    try {
      const numbers = Array.from({ length: members }, (_, member) => member)
      const inputs = numbers.map(() => shared(scattered))
      const futures = run.with({ failFast: true, seed }).map(trainFn, numbers, inputs)
      run.keep(futures, countSettles(members, options.onProgress))
      return await run.cluster.gather(futures)
    } finally {
      scattered.release()
    }
  })
}

/**
 * The mean of the members' predictions and how far they differ.
 * @param predictions one float64[n] per member.
 * @returns float64[n] each; the standard deviation with n − 1 below the root, NaN for one member.
 * @throws RangeError when there are none, or they are not as long.
 */
export function combinePredictions(predictions: readonly ArrayLike<number>[]): {
  mean: Float64Array
  std: Float64Array
} {
  const [first] = predictions
  if (first === undefined) throw new RangeError('combinePredictions: there are no predictions: give at least one')
  const odd = predictions.findIndex(({ length }) => length !== first.length)
  if (odd > 0) {
    const lengths = `${predictions[odd]!.length} predictions, member 0 has ${first.length}`
    throw new RangeError(`combinePredictions: member ${odd} has ${lengths}`)
  }
  const n = predictions.length
  const mean = Float64Array.from(first, (_, k) => predictions.reduce((sum, own) => sum + own[k]!, 0) / n)
  const std = mean.map((value, k) =>
    Math.sqrt(predictions.reduce((sum, own) => sum + (own[k]! - value) ** 2, 0) / (n - 1)),
  )
  return { mean, std }
}
