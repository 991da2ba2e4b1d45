import type { Range } from './batches.js'
import { mergeMoments, type Moments, noMoments, unpackMoments, varianceOf } from './moments.js'
import type { SampleBatch } from './sample-batch.js'
import { ValueHistogram } from './value-histogram.js'

const usualMinSamples = 1_000

interface Counted {
  readonly range: Range
  readonly batch: SampleBatch
}

/** What samples come to by the order of their numbers, whatever the order in which their batches come. */
export class SampleTally {
  readonly #chunk: number
  readonly #until: { readonly standardError: number; readonly minSamples?: number } | undefined
  /** By where they begin. */
  readonly #batches = new Map<number, Counted>()
  /** Over the samples that are there without a gap, up to where it stops. */
  #prefix: Moments[] = []
  /** The same, by output. */
  readonly #histograms: ValueHistogram[] = []
  #reached = 0
  /** How many samples came, in whatever order. */
  done = 0
  /** The number of samples at which the error was small enough. */
  stopAt: number | undefined

  constructor(chunk: number, until: { readonly standardError: number; readonly minSamples?: number } | undefined) {
    this.#chunk = chunk
    this.#until = until
  }

  /** Of the first output, over the samples that are there without a gap. */
  get running(): { readonly n: number; readonly mean: number; readonly variance: number } {
    const first = this.#prefix[0] ?? noMoments
    return { n: first.n, mean: first.n > 0 ? first.mean : NaN, variance: varianceOf(first) }
  }

  /** Takes a batch. Whether the samples are enough. */
  add(range: Range, batch: SampleBatch): boolean {
    this.done += batch.done
    this.#put(range, batch)
    for (let next = this.#batches.get(this.#reached); next; next = this.#batches.get(this.#reached)) {
      this.#prefix = this.#merge(this.#prefix, next)
      this.#reached = next.range.to
      if (this.#reached <= (this.stopAt ?? Infinity)) this.#count(next.batch)
      if (this.stopAt !== undefined) return true
    }
    return false
  }

  /** Takes what is drawn again of the batch that goes beyond the sample at which it stops: its moments are known. */
  replace(range: Range, batch: SampleBatch): void {
    this.#put(range, batch)
    this.#count(batch)
  }

  #count({ histograms }: SampleBatch): void {
    for (const [output, counts] of histograms.entries()) (this.#histograms[output] ??= new ValueHistogram()).add(counts)
  }

  #put(range: Range, batch: SampleBatch): void {
    const [known] = this.#batches.values()
    if (known && known.batch.outputs !== batch.outputs) {
      const [a, b] = [known.batch.outputs, batch.outputs]
      throw new TypeError(`samples from ${range.from} on have ${b} numbers, those from ${known.range.from} on ${a}`)
    }
    this.#batches.set(range.from, { range, batch })
  }

  /** The batch that goes beyond the sample at which it stops. */
  cutBatch(stopAt: number): Range | undefined {
    for (const { range } of this.#batches.values()) if (range.from < stopAt && range.to > stopAt) return range
    return undefined
  }

  /** All of the first `stopAt` samples. */
  close(stopAt: number): {
    readonly moments: readonly Moments[]
    readonly histograms: readonly ValueHistogram[]
    readonly samples: Float64Array | undefined
  } {
    const kept: Float64Array[] = []
    for (let at = 0; at < stopAt;) {
      const { batch, range } = this.#batches.get(at)!
      if (batch.samples) kept.push(batch.samples)
      at = range.to
    }
    const samples = kept.length > 0 ? joined(kept) : undefined
    return { moments: this.#prefix, histograms: this.#histograms, samples }
  }

  /** Merges the batch's chunks one by one, so that sums are the same wherever batches begin and end, until it is enough. */
  #merge(before: readonly Moments[], { range, batch }: Counted): Moments[] {
    let merged = [...before]
    const { outputs } = batch
    for (let k = 0, at = range.from; at < range.to; k++, at += this.#chunk) {
      merged = Array.from({ length: outputs }, (_, output) =>
        mergeMoments(merged[output] ?? noMoments, unpackMoments(batch.moments, k * outputs + output)),
      )
      if (this.#isEnough(merged, Math.min(at + this.#chunk, range.to))) break
    }
    return merged
  }

  #isEnough(moments: readonly Moments[], n: number): boolean {
    if (this.#until === undefined || this.stopAt !== undefined) return false
    const { standardError, minSamples = usualMinSamples } = this.#until
    if (n < minSamples || n < 2) return false
    if (!moments.every((known) => Math.sqrt(varianceOf(known) / known.n) <= standardError)) return false
    this.stopAt = n
    return true
  }
}

function joined(arrays: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(arrays.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const array of arrays) {
    all.set(array, at)
    at += array.length
  }
  return all
}
