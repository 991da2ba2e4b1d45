import { checkProbability } from './statistics.js'

/** Bits of a double that name its bucket: sign, exponent and 9 bits of mantissa. */
const droppedBits = 11
const bucketCount = 2 ** (32 - droppedBits)
/** Buckets from here on are of negative values; of those, the higher the bucket, the lower the value. */
const firstNegative = bucketCount / 2

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

/** Buckets in rising order, and how many values each has: uint32[n], float64[n]. */
interface Counts {
  readonly buckets: Uint32Array
  readonly counts: Float64Array
}

/** Counts that grow. */
export class ValueHistogram {
  #known: Counts = { buckets: new Uint32Array(0), counts: new Float64Array(0) }

  add(packed: BucketCounts): void {
    this.#known = mergeCounts(this.#known, unpackCounts(packed))
  }

  /**
   * Quantiles by their probabilities, right to one part in a thousand of their value.
   * @param extremes the smallest and the largest value that was counted: no quantile lies beyond.
   */
  quantiles(
    probabilities: readonly number[],
    extremes: { readonly min: number; readonly max: number },
  ): Record<string, number> {
    const { buckets, counts } = inOrderOfValue(this.#known)
    const n = counts.reduce((sum, count) => sum + count, 0)
    return Object.fromEntries(
      probabilities.map((probability) => {
        checkProbability(probability)
        const place = (n - 1) * probability
        let before = 0
        let row = 0
        while (row < counts.length && before + counts[row]! <= place) before += counts[row++]!
        if (row === counts.length) return [String(probability), NaN]
        const { low, high } = edgesOf(buckets[row]!)
        const value = low + (high - low) * ((place - before + 0.5) / counts[row]!)
        return [String(probability), Math.min(extremes.max, Math.max(extremes.min, value))]
      }),
    )
  }
}

function unpackCounts(packed: BucketCounts): Counts {
  const numbers: number[] = []
  for (let at = 0; at < packed.length;) {
    let value = 0
    let byte = 128
    for (let scale = 1; byte > 127; scale *= 128) {
      byte = packed[at++]!
      value += (byte & 127) * scale
    }
    numbers.push(value)
  }
  const buckets = new Uint32Array(numbers.length / 2)
  const counts = new Float64Array(buckets.length)
  for (let row = 0, bucket = 0; row < buckets.length; row++) {
    buckets[row] = bucket += numbers[2 * row]!
    counts[row] = numbers[2 * row + 1]!
  }
  return { buckets, counts }
}

function mergeCounts(a: Counts, b: Counts): Counts {
  const buckets = new Uint32Array(a.buckets.length + b.buckets.length)
  const counts = new Float64Array(buckets.length)
  let size = 0
  for (let i = 0, j = 0; i < a.buckets.length || j < b.buckets.length; size++) {
    const ofA = i < a.buckets.length ? a.buckets[i]! : bucketCount
    const ofB = j < b.buckets.length ? b.buckets[j]! : bucketCount
    buckets[size] = Math.min(ofA, ofB)
    if (ofA <= ofB) counts[size]! += a.counts[i++]!
    if (ofB <= ofA) counts[size]! += b.counts[j++]!
  }
  return { buckets: buckets.subarray(0, size), counts: counts.subarray(0, size) }
}

function inOrderOfValue({ buckets, counts }: Counts): Counts {
  const found = buckets.findIndex((bucket) => bucket >= firstNegative)
  const positive = found < 0 ? buckets.length : found
  const ordered = { buckets: new Uint32Array(buckets.length), counts: new Float64Array(buckets.length) }
  const negative = buckets.length - positive
  ordered.buckets.set(buckets.subarray(positive).toReversed())
  ordered.counts.set(counts.subarray(positive).toReversed())
  ordered.buckets.set(buckets.subarray(0, positive), negative)
  ordered.counts.set(counts.subarray(0, positive), negative)
  return ordered
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
