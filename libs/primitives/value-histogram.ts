import { checkProbability } from './statistics.js'

/** Bits of a double that name its bucket: sign, exponent and 9 bits of mantissa. */
const droppedBits = 11
const bucketCount = 2 ** (32 - droppedBits)

const double = new Float64Array(1)
const words = new Uint32Array(double.buffer)
/** Which of the two words of a double is the high one. */
const high = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 1 : 0

/**
 * Counts of values by bucket; adding two is exact, in whatever order. For each bucket in order two varints (LEB128): how far it is
 * from the one before, and its count. That keeps most batches small enough to travel with their task's report.
 */
export type BucketCounts = Uint8Array

/** One for a thread: it is 8 MB of which only pages that are used become memory. */
let dense: Uint32Array | undefined

/**
 * Counts values in buckets whose width is 1/512 of their distance from 0 (a log-linear histogram, as HdrHistogram: Tene 2012),
 * so that a quantile is known to one part in a thousand.
 * @param values float64[n] without NaN.
 */
export function countBuckets(values: Float64Array): BucketCounts {
  const table = (dense ??= new Uint32Array(bucketCount))
  const touched: number[] = []
  for (let i = 0; i < values.length; i++) {
    double[0] = values[i]!
    const bucket = words[high]! >>> droppedBits
    if (table[bucket]!++ === 0) touched.push(bucket)
  }
  const buckets = Uint32Array.from(touched).sort()
  const packed: number[] = []
  let before = 0
  for (const bucket of buckets) {
    pushVarint(packed, bucket - before)
    pushVarint(packed, table[bucket]!)
    table[bucket] = 0
    before = bucket
  }
  return Uint8Array.from(packed)
}

function pushVarint(bytes: number[], value: number): void {
  let rest = value
  for (; rest > 127; rest >>>= 7) bytes.push((rest & 127) | 128)
  bytes.push(rest)
}

/** Counts that grow. */
export class ValueHistogram {
  readonly #counts = new Map<number, number>()

  add(packed: BucketCounts): void {
    let bucket = 0
    let isCount = false
    for (let at = 0; at < packed.length; isCount = !isCount) {
      let value = 0
      let byte = 128
      for (let scale = 1; byte > 127; scale *= 128) {
        byte = packed[at++]!
        value += (byte & 127) * scale
      }
      if (isCount) this.#counts.set(bucket, (this.#counts.get(bucket) ?? 0) + value)
      else bucket += value
    }
  }

  /**
   * Quantiles by their probabilities, right to one part in a thousand of their value.
   * @param extremes the smallest and the largest value that was counted: no quantile lies beyond.
   */
  quantiles(
    probabilities: readonly number[],
    extremes: { readonly min: number; readonly max: number },
  ): Record<string, number> {
    const rows = [...this.#counts]
      .map(([bucket, count]) => ({ ...edgesOf(bucket), count }))
      .sort((a, b) => a.low - b.low)
    const n = rows.reduce((sum, { count }) => sum + count, 0)
    return Object.fromEntries(
      probabilities.map((probability) => {
        checkProbability(probability)
        let before = 0
        const place = (n - 1) * probability
        const row = rows.find(({ count }) => (before += count) > place)
        if (row === undefined) return [String(probability), NaN]
        const value = row.low + (row.high - row.low) * ((place - (before - row.count) + 0.5) / row.count)
        return [String(probability), Math.min(extremes.max, Math.max(extremes.min, value))]
      }),
    )
  }
}

function edgesOf(bucket: number): { low: number; high: number } {
  const near = valueAt(bucket * 2 ** droppedBits)
  const far = valueAt((bucket + 1) * 2 ** droppedBits - 1)
  return near <= far ? { low: near, high: far } : { low: far, high: near }
}

/** The double whose high word this is, without the bits below. */
function valueAt(highWord: number): number {
  words[high] = highWord
  words[1 - high] = 0
  const value = double[0]!
  return Number.isFinite(value) ? value : Math.sign(value) * Number.MAX_VALUE
}
