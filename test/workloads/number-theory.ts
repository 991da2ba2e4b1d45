import { type Cluster, task, type TaskContext } from 'costate'
import { distributeComputation, scatterGatherReduction } from 'costate/primitives'

import { range, sum } from './data-files.js'
import type { Workload } from './workload.js'

/** What is known of the primes of neighbouring segments. */
interface PrimeCensus {
  readonly first: number
  readonly last: number
  readonly count: number
  readonly countBelow1e6: number
  readonly sumBelow2e6: number
  readonly twins: number
  readonly gap: number
}

const segment = 250_000
const million = 1_000_000

/** A pair of neighbouring primes adds a twin, or a gap, where the larger is below a million. */
const twinOf = (p: number, q: number): number => Number(q - p === 2 && q < million)
const gapOf = (p: number, q: number): number => (q < million ? q - p : 0)

/** The sieve of Eratosthenes over one segment. */
export const primesOf = task(import.meta, 'primesOf', (index: number): PrimeCensus => {
  const from = index * segment
  const to = from + segment
  const composite = new Uint8Array(segment)
  const small = new Uint8Array(Math.ceil(Math.sqrt(to)) + 1)
  for (let p = 2; p < small.length; p++) {
    if (small[p]) continue
    for (let multiple = p * p; multiple < small.length; multiple += p) small[multiple] = 1
    for (let multiple = Math.max(p * p, Math.ceil(from / p) * p); multiple < to; multiple += p)
      composite[multiple - from] = 1
  }
  let census: PrimeCensus | undefined
  for (let n = Math.max(2, from); n < to; n++) {
    if (composite[n - from]) continue
    const own = {
      first: n,
      last: n,
      count: 1,
      countBelow1e6: Number(n < million),
      sumBelow2e6: n < 2 * million ? n : 0,
      twins: 0,
      gap: 0,
    }
    census = census === undefined ? own : join(census, own)
  }
  return census!
})

function join(a: PrimeCensus, b: PrimeCensus): PrimeCensus {
  return {
    ...{ first: a.first, last: b.last, count: a.count + b.count, countBelow1e6: a.countBelow1e6 + b.countBelow1e6 },
    sumBelow2e6: a.sumBelow2e6 + b.sumBelow2e6,
    twins: a.twins + b.twins + twinOf(a.last, b.first),
    gap: Math.max(a.gap, b.gap, gapOf(a.last, b.first)),
  }
}

/** Neighbours, the lower ones first: a pair may lie across the border. */
export const joinCensuses = task(import.meta, 'joinCensuses', (a: PrimeCensus, b: PrimeCensus) => join(a, b))

async function answerPrimes(cluster: Cluster): Promise<Record<string, unknown>> {
  const data = range(0, 1e7 / segment)
  const census = await scatterGatherReduction({ cluster, data, mapFn: primesOf, reduceFn: joinCensuses })
  return {
    pi_1e6: census.countBelow1e6,
    pi_1e7: census.count,
    sum_below_2e6: String(census.sumBelow2e6),
    twin_pairs_below_1e6: census.twins,
    max_gap_below_1e6: census.gap,
  }
}

interface Residues {
  readonly iteration: number
  readonly value: bigint
  readonly kept: Readonly<Record<string, string>>
}

/**
 * The test of Lucas and Lehmer: s₀ = 4, s ← s² - 2 mod 2^p - 1, p - 2 times; zero at the end means that 2^p - 1 is prime. It goes on from
 * its checkpoint, and keeps the low 64 bits after the iterations asked for.
 */
export const lucasLehmer = task(
  import.meta,
  'lucasLehmer',
  async ({ p, keep }: { p: number; keep: readonly number[] }, { checkpoint, signal }: TaskContext) => {
    const exponent = BigInt(p)
    const modulus = (1n << exponent) - 1n
    const saved = (await checkpoint.load<Residues>())?.state
    let { iteration, value } = saved ?? { iteration: 0, value: 4n }
    const kept: Record<string, string> = { ...saved?.kept }
    while (iteration < p - 2) {
      signal.throwIfAborted()
      let square = value * value - 2n
      square = (square & modulus) + (square >> exponent)
      value = square >= modulus ? square - modulus : square < 0n ? square + modulus : square
      iteration++
      if (keep.includes(iteration))
        kept[String(iteration)] = (value & 0xffffffffffffffffn).toString(16).padStart(16, '0')
      if (iteration % 500 === 0) void checkpoint.save({ iteration, value, kept } satisfies Residues)
    }
    return { isPrime: value === 0n, kept }
  },
)

async function answerLucasLehmer(cluster: Cluster): Promise<Record<string, unknown>> {
  const isPrime = (n: number): boolean => range(2, Math.floor(Math.sqrt(n)) + 1).every((d) => n % d !== 0)
  const exponents = range(3, 2_282).filter(isPrime)
  const orders = exponents.map((p) => ({ p, keep: p === 2_203 ? [500, 1_000, 1_500, 2_000, 2_200] : [] }))
  const tested = await distributeComputation(lucasLehmer, orders, cluster)
  const { isPrime: isZero, kept } = tested[exponents.indexOf(2_203)]!
  return {
    prime_exponents: exponents.filter((_, k) => tested[k]!.isPrime),
    residues_p2203: { ...kept, final_is_zero: isZero },
    p1277_prime: tested[exponents.indexOf(1_277)]!.isPrime,
  }
}

interface Terms {
  readonly d: number
  readonly from: number
  readonly to: number
}

/** 16^exponent mod m; m² is below 2^53. */
function powerOf16(exponent: number, m: number): number {
  let [result, base, rest] = [1 % m, 16 % m, exponent]
  while (rest > 0) {
    if (rest % 2 === 1) result = (result * base) % m
    base = (base * base) % m
    rest = Math.floor(rest / 2)
  }
  return result
}

/** A piece of frac(16^d π), 4 S₁ - 2 S₄ - S₅ - S₆, modulo 1 (Bailey, Borwein & Plouffe 1997). */
export const piTerms = task(import.meta, 'piTerms', ({ d, from, to }: Terms) => {
  let total = 0
  for (let k = from; k < to; k++) {
    for (const [j, factor] of [
      [1, 4],
      [4, -2],
      [5, -1],
      [6, -1],
    ] as const) {
      const m = 8 * k + j
      const term = k <= d ? powerOf16(d - k, m) / m : 16 ** (d - k) / m
      total += factor * term
    }
    total -= Math.floor(total)
  }
  return total
})

async function answerPiDigits(cluster: Cluster): Promise<Record<string, unknown>> {
  const positions = [0, 1_000, 999_999, 1_000_000]
  const orders = positions.flatMap((d) =>
    range(0, Math.ceil((d + 20) / 40_000)).map((k) => ({
      d,
      from: k * 40_000,
      to: Math.min((k + 1) * 40_000, d + 20),
    })),
  )
  const parts = await distributeComputation(piTerms, orders, cluster)
  const digits = positions.map((d) => {
    const total = sum(parts.filter((_, k) => orders[k]!.d === d))
    return Math.floor((total - Math.floor(total)) * 2 ** 32)
      .toString(16)
      .toUpperCase()
      .padStart(8, '0')
  })
  return Object.fromEntries(positions.map((d, k) => [`d${d}`, digits[k]]))
}

/** Ways to place queens on the remaining rows, by the columns and diagonals that are attacked. */
function placeQueens(n: number, columns: number, left: number, right: number): number {
  const all = (1 << n) - 1
  if (columns === all) return 1
  let count = 0
  for (let free = all & ~(columns | left | right); free !== 0;) {
    const place = free & -free
    free ^= place
    count += placeQueens(n, columns | place, (left | place) << 1, (right | place) >> 1)
  }
  return count
}

/** With the first two queens placed. */
export const queensBelowTwo = task(
  import.meta,
  'queensBelowTwo',
  async ({ n, first, second }: { n: number; first: number; second: number }) => {
    const [a, b] = [1 << first, 1 << second]
    const isAttacked = ((a | (a << 1) | (a >> 1)) & b) !== 0
    return isAttacked ? 0 : placeQueens(n, a | b, ((a << 1) | b) << 1, ((a >> 1) | b) >> 1)
  },
)

/** With the first queen placed: a task for each place of the second. */
export const queensBelow = task(
  import.meta,
  'queensBelow',
  async ({ n, first }: { n: number; first: number }, ctx: TaskContext) =>
    sum(
      await ctx.gather(
        ctx.map(
          queensBelowTwo,
          range(0, n).map((second) => ({ n, first, second })),
        ),
      ),
    ),
)

async function answerQueens(cluster: Cluster): Promise<Record<string, unknown>> {
  const orders = range(8, 14).flatMap((n) => range(0, n).map((first) => ({ n, first })))
  const counts = await distributeComputation(queensBelow, orders, cluster)
  const of = (n: number): number[] => counts.filter((_, k) => orders[k]!.n === n)
  return {
    counts: Object.fromEntries(range(8, 13).map((n) => [n, sum(of(n))])),
    n11_by_first_column: of(11),
    n13: sum(of(13)),
  }
}

/** Escape counts of one tile of 64 x 64 cells, and how many never escape. */
export const mandelbrotTile = task(
  import.meta,
  'mandelbrotTile',
  ({ row, column }: { row: number; column: number }) => {
    let [total, inside] = [0, 0]
    for (let j = row * 64; j < (row + 1) * 64; j++) {
      for (let i = column * 64; i < (column + 1) * 64; i++) {
        const [cx, cy] = [-2 + (2.5 * (i + 0.5)) / 256, -1.25 + (2.5 * (j + 0.5)) / 256]
        let [zx, zy, count] = [0, 0, 0]
        for (let k = 0; k < 256; k++) {
          const [x2, y2] = [zx * zx, zy * zy]
          if (x2 + y2 > 4) break
          count++
          ;[zx, zy] = [x2 - y2 + cx, 2 * zx * zy + cy]
        }
        total += count
        inside += Number(count === 256)
      }
    }
    return { total, inside }
  },
)

async function answerMandelbrot(cluster: Cluster): Promise<Record<string, unknown>> {
  const tiles = range(0, 16).map((k) => ({ row: Math.floor(k / 4), column: k % 4 }))
  const found = await distributeComputation(mandelbrotTile, tiles, cluster)
  const inside = sum(found.map((tile) => tile.inside))
  return {
    total: String(sum(found.map((tile) => tile.total))),
    in_set: inside,
    tile_totals: range(0, 4).map((row) => found.slice(4 * row, 4 * row + 4).map((tile) => tile.total)),
    area_estimate: (inside / 65_536) * 6.25,
  }
}

export const numberTheoryWorkloads: readonly Workload[] = [
  { name: 'ckpt-lucas-lehmer', section: 'map-reduce', answer: answerLucasLehmer },
  { name: 'map-mandelbrot-tiles', section: 'map-reduce', answer: answerMandelbrot },
  { name: 'mr-n-queens', section: 'map-reduce', answer: answerQueens },
  { name: 'mr-pi-hex-digits-bbp', section: 'map-reduce', answer: answerPiDigits },
  { name: 'mr-primes-segmented', section: 'map-reduce', answer: answerPrimes },
]
