import { createRngSeries } from '#libs/domain'
import { combinator, ContextWithin, functionOf, type Task, type TaskContext } from '#libs/task'

import type { Batch } from './batches.js'
import { momentsLength, momentsOf, packMoments } from './moments.js'
import { type BucketCounts, countBuckets } from './value-histogram.js'

/** What a sample is: a number, or several that belong together. */
export type Sample = number | ArrayLike<number>

/** A batch of samples to draw. */
export interface SampleOrder {
  readonly from: number
  readonly to: number
  /** Samples whose moments are taken together: the same for any batch, so that sums are the same to the last bit. */
  readonly chunk: number
  readonly seed: bigint | number
  readonly budgetMs: number
  readonly keepSamples: boolean
}

/** What a batch of samples comes to. */
export interface SampleBatch extends Batch {
  /** Numbers in a sample. */
  readonly outputs: number
  /** Moments of each chunk, one after the other for each output: float64[chunks · outputs · 5]. */
  readonly moments: Float64Array
  /** By output. */
  readonly histograms: readonly BucketCounts[]
  /** The samples, one after the other, if they are kept: float64[done · outputs]. */
  readonly samples: Float64Array | undefined
}

/** A batch ends with so many samples at the latest: it keeps them until it has counted them. */
const mostSamples = 1_000_000

/** Draws samples one after the other, each with the random stream of its own number, until all are drawn or the time is over. */
export const sampleBatch = combinator(import.meta, 'sampleBatch', ({ sample }: { sample: Task<[number], Sample> }) => {
  const draw = functionOf(sample)
  return async (order: SampleOrder, ctx: TaskContext): Promise<SampleBatch> => {
    const { from, chunk, seed, budgetMs, keepSamples } = order
    const to = Math.min(order.to, from + Math.ceil(mostSamples / chunk) * chunk)
    const startedAt = performance.now()
    const series = createRngSeries(seed)
    const inner = new ContextWithin(ctx, series.at(from))
    let outputs = 0
    let values = new Float64Array(0)
    let at = from
    while (at < to && (at === from || performance.now() - startedAt < budgetMs)) {
      ctx.signal.throwIfAborted()
      for (const end = Math.min(to, at + chunk); at < end; at++) {
        inner.rng = series.at(at)
        const drawn = draw(at, inner)
        // The usual case by itself: with the others before it a sample takes 10 ns longer.
        if (typeof drawn === 'number' && outputs === 1) {
          if (drawn !== drawn) throw notANumber(at)
          values[at - from] = drawn
          continue
        }
        const known = drawn instanceof Promise ? await drawn : drawn
        if (at === from) {
          outputs = typeof known === 'number' ? 1 : known.length
          values = new Float64Array((to - from) * outputs)
        }
        store(known, values, (at - from) * outputs, at, outputs)
      }
    }
    const done = at - from
    const seen = values.subarray(0, done * outputs)
    return {
      ...{ done, outputs, moments: chunkMoments(seen, outputs, chunk) },
      histograms: Array.from({ length: outputs }, (_, output) => countBuckets(column(seen, output, outputs))),
      samples: keepSamples ? seen.slice() : undefined,
      elapsedMs: performance.now() - startedAt,
    }
  }
})

function store(drawn: Sample, values: Float64Array, place: number, at: number, outputs: number): void {
  const numbers = typeof drawn === 'number' ? [drawn] : drawn
  if (typeof numbers !== 'object' || numbers.length !== outputs || outputs === 0) {
    const got = typeof numbers === 'object' ? `${numbers.length} numbers` : typeof numbers
    throw new TypeError(`sample ${at} gave ${got}, the first of its batch ${outputs}: give a number, or always as many`)
  }
  for (let output = 0; output < outputs; output++) {
    values[place + output] = numbers[output]!
    if (Number.isNaN(values[place + output])) throw notANumber(at)
  }
}

function notANumber(at: number): RangeError {
  return new RangeError(`sample ${at} is not a number (NaN): the mean of such samples would be none, either`)
}

function chunkMoments(values: Float64Array, outputs: number, chunk: number): Float64Array {
  const length = chunk * outputs
  const chunks = Math.ceil(values.length / length)
  const packed = new Float64Array(chunks * outputs * momentsLength)
  for (let k = 0; k < chunks; k++) {
    for (let output = 0; output < outputs; output++) {
      const end = Math.min(values.length, (k + 1) * length)
      packMoments(momentsOf(values, k * length + output, end, outputs), packed, k * outputs + output)
    }
  }
  return packed
}

function column(values: Float64Array, output: number, outputs: number): Float64Array {
  if (outputs === 1) return values
  return Float64Array.from({ length: values.length / outputs }, (_, i) => values[i * outputs + output]!)
}
