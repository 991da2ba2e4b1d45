import type { Task } from '#libs/client'

import { runBatches, type Range } from './batches.js'
import { checkTasks } from './check-tasks.js'
import { type Moments, varianceOf } from './moments.js'
import { normalQuantile } from './normal-quantile.js'
import { runOn, type RunOptions, type RunProgress } from './run.js'
import { type Sample, sampleBatch, type SampleBatch } from './sample-batch.js'
import { SampleTally } from './sample-tally.js'
import { checkProbability, quantileSorted, usualQuantiles } from './statistics.js'

/** How to estimate by samples. */
export interface MonteCarloOptions extends RunOptions<MonteCarloProgress> {
  /**
   * Draws one sample: gets the sample's number, from 0, and takes its random numbers from `ctx.rng`, the stream of that number.
   * Gives a number, or a list of numbers, always as long.
   */
  readonly sample: Task<[number], Sample>
  /** How many samples at most. */
  readonly n: number
  /** Of the random streams; 0 unless given. */
  readonly seed?: bigint | number
  /** When fewer samples will do: as soon as the standard error of every mean is so small, after `minSamples` (1,000). */
  readonly until?: { readonly standardError: number; readonly minSamples?: number }
  /** Of the interval of the mean; 0.95 unless given. */
  readonly confidence?: number
  /** Probabilities of the quantiles; 0.05, 0.25, 0.5, 0.75 and 0.95 unless given. */
  readonly quantiles?: readonly number[]
  /** Brings all samples back, float64[n · outputs]; quantiles are then exact. */
  readonly keepSamples?: boolean
}

/** How far an estimate is. */
export interface MonteCarloProgress extends RunProgress {
  /** Of the first output, over the samples from the first on that are there without a gap. */
  readonly mean: number
  readonly standardError: number
}

/** What is known of one output. */
export interface Estimate {
  readonly n: number
  readonly mean: number
  /** Of the sample, n − 1 below. */
  readonly variance: number
  readonly std: number
  /** Of the mean: std / √n. */
  readonly standardError: number
  /** Of the mean, by the central limit theorem. */
  readonly confidenceInterval: { readonly level: number; readonly low: number; readonly high: number }
  readonly min: number
  readonly max: number
  /** By probability: `quantiles['0.5']` is the median. Right to one part in a thousand, exact with `keepSamples`. */
  readonly quantiles: Readonly<Record<string, number>>
}

/** What samples come to; the estimate itself is that of the first output. */
export interface MonteCarloResult extends Estimate {
  /** One for each number in a sample. */
  readonly outputs: readonly Estimate[]
  /** Why no more were drawn. */
  readonly stopped: 'n' | 'standardError'
  /** With `keepSamples`: one sample after the other, float64[n · outputs]. */
  readonly samples?: Float64Array
}

/** Batches end after so much time; where the error says when it is enough, it is asked more often. */
const batchMs = { n: 1_000, standardError: 250 } as const
const mostChunk = 1_000

/**
 * Estimates by independent samples, in batches that size themselves. Sample i draws from the random stream i of the seed, and
 * sums are taken in one order, so that the result is the same to the last bit for any number of workers, also when it stops by
 * its error: then it stops at the same sample.
 *
 *     const { mean, confidenceInterval } = await monteCarlo({ cluster, sample: payoff, n: 1_000_000, seed: 7, until: { standardError: 0.01 } })
 *
 * Means and variances by merging (Chan, Golub & LeVeque 1983), quantiles by a log-linear histogram.
 *
 * @throws RangeError for bad options; TaskError when a sample throws, is NaN, or has another length than the first: its message
 * says which.
 */
export async function monteCarlo(options: MonteCarloOptions): Promise<MonteCarloResult> {
  const { sample, n, seed = 0, until, keepSamples = false, onProgress } = options
  checkTasks('monteCarlo', { sample })
  checkOptions(options)
  const chunk = Math.min(mostChunk, Math.max(1, Math.ceil(n / 1_000)))
  const budgetMs = batchMs[until ? 'standardError' : 'n']
  const task = sampleBatch({ sample })
  return await runOn('monteCarlo', options, async (run) => {
    const tally = new SampleTally(chunk, until)
    const submit = (ranges: readonly Range[]) =>
      run.cluster.map(
        task,
        ranges.map((range) => ({ ...range, chunk, seed, budgetMs, keepSamples })),
      )
    const slots = await run.slots()
    await runBatches<SampleBatch>(
      run,
      { from: 0, to: n },
      {
        ...{ slots, budgetMs, grain: chunk, submit },
        onBatch: (range, batch) => {
          const isEnough = tally.add(range, batch)
          if (onProgress) onProgress(progressOf(tally, n))
          return !isEnough
        },
      },
    )
    const stopAt = tally.stopAt ?? n
    const cut = tally.cutBatch(stopAt)
    // The batch in which it stops counted more than is wanted: what is wanted of it is drawn again, and is the same.
    if (cut) {
      let { from } = cut
      while (from < stopAt) {
        const [again] = await run.cluster.gather(run.keep(submit([{ from, to: stopAt }])))
        tally.replace({ from, to: from + again!.done }, again!)
        from += again!.done
      }
    }
    return resultOf(tally, stopAt, options)
  })
}

function resultOf(tally: SampleTally, stopAt: number, options: MonteCarloOptions): MonteCarloResult {
  const { confidence = 0.95, quantiles = usualQuantiles, keepSamples = false } = options
  const { moments, histograms, samples } = tally.close(stopAt)
  const outputs = moments.map((known, output): Estimate => {
    const histogram = histograms[output]!
    const kept = samples && sortedColumn(samples, output, moments.length)
    const exact = kept && Object.fromEntries(quantiles.map((p) => [String(p), quantileSorted(kept, p)]))
    return { ...estimateOf(known, confidence), quantiles: exact ?? histogram.quantiles(quantiles, known) }
  })
  const stopped = tally.stopAt === undefined ? 'n' : 'standardError'
  return { ...outputs[0]!, outputs, stopped, ...(keepSamples && samples ? { samples } : {}) }
}

function estimateOf(moments: Moments, level: number): Omit<Estimate, 'quantiles'> {
  const { n, mean, min, max } = moments
  const variance = varianceOf(moments)
  const standardError = Math.sqrt(variance / n)
  const half = normalQuantile(0.5 + level / 2) * standardError
  const confidenceInterval = { level, low: mean - half, high: mean + half }
  return { n, mean, variance, std: Math.sqrt(variance), standardError, confidenceInterval, min, max }
}

function progressOf(tally: SampleTally, total: number): MonteCarloProgress {
  const { n, mean, variance } = tally.running
  return { done: tally.done, failed: 0, total, mean, standardError: Math.sqrt(variance / n) }
}

function sortedColumn(samples: Float64Array, output: number, outputs: number): Float64Array {
  return Float64Array.from({ length: samples.length / outputs }, (_, i) => samples[i * outputs + output]!).sort()
}

function checkOptions({ n, until, confidence = 0.95, quantiles = [] }: MonteCarloOptions): void {
  if (!Number.isSafeInteger(n) || n < 1) throw new RangeError(`monteCarlo: n is ${n}; give a whole number from 1`)
  if (!(confidence > 0 && confidence < 1)) {
    throw new RangeError(`monteCarlo: confidence is ${confidence}; give a number between 0 and 1`)
  }
  for (const probability of quantiles) checkProbability(probability)
  if (until === undefined) return
  if (!(until.standardError > 0)) {
    throw new RangeError(`monteCarlo: until.standardError is ${until.standardError}; give a number above 0`)
  }
  const { minSamples = 1 } = until
  if (!Number.isSafeInteger(minSamples) || minSamples < 1) {
    throw new RangeError(`monteCarlo: until.minSamples is ${minSamples}; give a whole number from 1`)
  }
}
