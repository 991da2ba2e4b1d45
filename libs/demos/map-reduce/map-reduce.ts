import { task } from 'costate'
import { scatterGatherReduction } from 'costate/primitives'

import { checkEach, checkSame, type Check } from '../demo/check.js'
import type { Setting } from '../demo/demo.js'

const million = 1_000_000

/** A stretch of numbers. */
export interface Segment {
  readonly from: number
  readonly to: number
}

/** What is known of the primes of a stretch, or of several that follow each other. */
export interface Census {
  readonly first: number
  readonly last: number
  readonly count: number
  /** Primes below 10, 100, …, 10⁷. */
  readonly belowPowers: readonly number[]
  readonly sumBelow2Million: number
  /** How often neighbours below a million are so far apart. */
  readonly gaps: Readonly<Record<string, number>>
  /** The ends of the segments, and how many primes each has. */
  readonly ends: readonly number[]
  readonly counts: readonly number[]
}

const powers = [1, 2, 3, 4, 5, 6, 7].map((exponent) => 10 ** exponent)

/** Map: the sieve of Eratosthenes over one segment. */
export const sieve = task(import.meta, 'sieve', async ({ from, to }: Segment): Promise<Census> => {
  const isComposite = new Uint8Array(to - from)
  const isSmallComposite = new Uint8Array(Math.ceil(Math.sqrt(to)) + 1)
  for (let p = 2; p < isSmallComposite.length; p++) {
    if (isSmallComposite[p]) continue
    for (let k = p * p; k < isSmallComposite.length; k += p) isSmallComposite[k] = 1
    for (let k = Math.max(p * p, Math.ceil(from / p) * p); k < to; k += p) isComposite[k - from] = 1
  }
  const primes: number[] = []
  for (let n = Math.max(2, from); n < to; n++) if (!isComposite[n - from]) primes.push(n)
  const gaps: Record<string, number> = {}
  for (const [k, p] of primes.entries()) if (k > 0 && p < million) count(gaps, p - primes[k - 1]!)
  return {
    ...{ first: primes[0]!, last: primes.at(-1)!, count: primes.length, gaps, ends: [to], counts: [primes.length] },
    belowPowers: powers.map((power) => primes.reduce((below, p) => below + Number(p < power), 0)),
    sumBelow2Million: primes.reduce((sum, p) => sum + (p < 2 * million ? p : 0), 0),
  }
})

/** Reduce: two neighbours, the lower one first. A gap lies between them too, so their order matters. */
export const join = task(import.meta, 'join', async (low: Census, high: Census): Promise<Census> => {
  const gaps: Record<string, number> = { ...low.gaps }
  for (const [gap, times] of Object.entries(high.gaps)) gaps[gap] = (gaps[gap] ?? 0) + times
  if (high.first < million) count(gaps, high.first - low.last)
  return {
    ...{ first: low.first, last: high.last, count: low.count + high.count, gaps },
    belowPowers: powers.map((_, k) => low.belowPowers[k]! + high.belowPowers[k]!),
    sumBelow2Million: low.sumBelow2Million + high.sumBelow2Million,
    ends: [...low.ends, ...high.ends],
    counts: [...low.counts, ...high.counts],
  }
})

function count(gaps: Record<string, number>, gap: number): void {
  gaps[gap] = (gaps[gap] ?? 0) + 1
}

export interface MapReduceResult {
  readonly census: Census
  readonly limit: number
  readonly segments: number
}

export async function countPrimes({ isReduced, startCluster, follow }: Setting): Promise<MapReduceResult> {
  await using cluster = await startCluster({ workers: 2 })
  const limit = isReduced ? 2 * million : 10 * million
  const segments = 40
  const size = limit / segments
  const data = Array.from({ length: segments }, (_, k): Segment => ({ from: k * size, to: (k + 1) * size }))

  // Neighbours are joined on the workers, two by two, as a tree; only the last census comes back.
  const census = await scatterGatherReduction({
    ...{ cluster, data, mapFn: sieve, reduceFn: join, chunkSize: 1 },
    onProgress: follow('map and reduce'),
  })
  return { census, limit, segments }
}

/** Primes below 10, 100, …, 10⁷. */
export const publishedCounts = [4, 25, 168, 1_229, 9_592, 78_498, 664_579]

export function checkPrimes({ census, limit }: MapReduceResult): Check[] {
  const reached = publishedCounts.slice(0, Math.floor(Math.log10(limit) + 1e-9))
  const ours = census.belowPowers.slice(0, reached.length)
  const largestGap = Math.max(...Object.keys(census.gaps).map(Number))
  return [
    checkEach({ what: 'primes below powers of ten', ours, reference: reached, absolute: 0, source: 'OEIS A006880' }),
    checkSame({
      what: 'their sum below 2,000,000',
      ours: census.sumBelow2Million,
      reference: 142_913_828_922,
      source: 'Project Euler 10',
    }),
    checkSame({ what: 'twins below 1,000,000', ours: census.gaps['2'] ?? 0, reference: 8_169, source: 'OEIS A007508' }),
    checkSame({
      what: 'largest gap below 1,000,000',
      ours: largestGap,
      reference: 114,
      source: 'OEIS A005250: after 492,113',
    }),
  ]
}
