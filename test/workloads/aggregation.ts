import { type Cluster, task } from 'costate'
import { distributeComputation, scatterGatherReduction } from 'costate/primitives'

import { chunksOf, range, readData, readRows, sum } from './data-files.js'
import type { Workload } from './workload.js'

/** A sum and what its additions have lost. */
interface Compensated {
  readonly total: number
  readonly lost: number
}

const series = {
  S2: (k: number) => 1 / (k * k),
  H: (k: number) => 1 / k,
  A: (k: number) => (k % 2 === 1 ? 1 : -1) / k,
  ill_conditioned: (k: number) => [1e16, 1, -1e16, 1][(k - 1) % 4]!,
} as const
type SeriesName = keyof typeof series

function add({ total, lost }: Compensated, term: number): Compensated {
  const next = total + term
  // Neumaier 1974: the smaller of the two is what loses digits.
  return { total: next, lost: lost + (Math.abs(total) >= Math.abs(term) ? total - next + term : term - next + total) }
}

/** The terms from `from` on, `to` excluded. */
export const sumTerms = task(
  import.meta,
  'sumTerms',
  ({ name, from, to }: { name: SeriesName; from: number; to: number }) => {
    const term = series[name]
    let [total, lost] = [0, 0]
    for (let k = from; k < to; k++) ({ total, lost } = add({ total, lost }, term(k)))
    return { total, lost }
  },
)

/** Both sums, and both losses, kept apart. */
export const addSums = task(import.meta, 'addSums', (a: Compensated, b: Compensated): Compensated => {
  const { total, lost } = add(a, b.total)
  return { total, lost: lost + b.lost }
})

async function answerSums(cluster: Cluster): Promise<Record<string, unknown>> {
  const answer: Record<string, number> = {}
  for (const name of ['S2', 'H', 'A', 'ill_conditioned'] as const) {
    const terms = name === 'ill_conditioned' ? 1_000_000 : 10_000_000
    const data = range(0, terms / 250_000).map((k) => ({ name, from: 1 + k * 250_000, to: 1 + (k + 1) * 250_000 }))
    const { total, lost } = await scatterGatherReduction({
      cluster,
      data,
      mapFn: sumTerms,
      reduceFn: addSums,
      chunkSize: 1,
    })
    answer[name] = total + lost
  }
  return answer
}

/** Number, mean and sum of squares about it. */
interface Lot {
  readonly n: number
  readonly mean: number
  readonly squares: number
}

function lotOf(values: readonly number[]): Lot {
  const mean = sum(values) / values.length
  // The second sum takes out what rounding has left in the mean.
  const rest = sum(values.map((value) => value - mean))
  return {
    n: values.length,
    mean: mean + rest / values.length,
    squares: sum(values.map((value) => (value - mean) ** 2)) - rest ** 2 / values.length,
  }
}

/** Chan, Golub & LeVeque 1983. */
function mergeLots(a: Lot, b: Lot): Lot {
  const n = a.n + b.n
  const delta = b.mean - a.mean
  return { n, mean: a.mean + (delta * b.n) / n, squares: a.squares + b.squares + (delta * delta * a.n * b.n) / n }
}

export const lotOfChunk = task(import.meta, 'lotOfChunk', (values: readonly number[]) => lotOf(values))
export const mergeTwoLots = task(import.meta, 'mergeTwoLots', (a: Lot, b: Lot) => mergeLots(a, b))

/** Σ (xᵢ - m)(xᵢ₊₁ - m) over a chunk and the first value of the next. */
export const laggedProduct = task(
  import.meta,
  'laggedProduct',
  ({ values, next, mean }: { values: readonly number[]; next: readonly number[]; mean: number }) => {
    const all = [...values, ...next]
    return sum(all.slice(1).map((value, k) => (all[k]! - mean) * (value - mean)))
  },
)

async function answerUnivariate(cluster: Cluster): Promise<Record<string, unknown>> {
  const alternating = (first: number, low: number, high: number): number[] => [
    first,
    ...range(0, 1_000).map((k) => (k % 2 === 0 ? low : high)),
  ]
  const column = async (name: string): Promise<number[]> => (await readRows(name)).map((row) => row[0]!)
  const sets: Readonly<Record<string, readonly number[]>> = {
    Lew: await column('nist-lew.csv'),
    Mavro: await column('nist-mavro.csv'),
    Lottery: await column('nist-lottery.csv'),
    NumAcc1: [10_000_001, 10_000_003, 10_000_002],
    NumAcc2: alternating(1.2, 1.1, 1.3),
    NumAcc3: alternating(1_000_000.2, 1_000_000.1, 1_000_000.3),
  }
  const answer: Record<string, unknown> = {}
  for (const [name, values] of Object.entries(sets)) {
    const chunks = chunksOf(values, 64)
    const { n, mean, squares } = await scatterGatherReduction({
      cluster,
      data: chunks,
      mapFn: lotOfChunk,
      reduceFn: mergeTwoLots,
      chunkSize: 1,
    })
    const orders = chunks.map((chunk, k) => ({ values: chunk, next: (chunks[k + 1] ?? []).slice(0, 1), mean }))
    const products = await distributeComputation(laggedProduct, orders, cluster)
    answer[name] = { n, mean, sd: Math.sqrt(squares / (n - 1)), r1: sum(products) / squares }
  }
  return answer
}

type Groups = Readonly<Record<string, Lot>>

/** Rows of treatment and response, by treatment. */
export const groupRows = task(import.meta, 'groupRows', (rows: readonly (readonly number[])[]): Groups => {
  const groups = new Map<number, number[]>()
  for (const [treatment, response] of rows) groups.set(treatment!, [...(groups.get(treatment!) ?? []), response!])
  return Object.fromEntries([...groups].map(([treatment, values]) => [treatment, lotOf(values)]))
})

export const mergeGroups = task(import.meta, 'mergeGroups', (a: Groups, b: Groups): Groups => {
  const merged: Record<string, Lot> = { ...a }
  for (const [treatment, lot] of Object.entries(b))
    merged[treatment] = merged[treatment] ? mergeLots(merged[treatment], lot) : lot
  return merged
})

async function answerAnova(cluster: Cluster): Promise<Record<string, unknown>> {
  const data = chunksOf(await readRows('nist-smls01.csv'), 20)
  const groups = Object.values(
    await scatterGatherReduction({ cluster, data, mapFn: groupRows, reduceFn: mergeGroups, chunkSize: 1 }),
  )
  const all = groups.reduce(mergeLots)
  const within = sum(groups.map(({ squares }) => squares))
  const between = sum(groups.map(({ n, mean }) => n * (mean - all.mean) ** 2))
  const df = [groups.length - 1, all.n - groups.length] as const
  return {
    ...{ ss_between: between, ss_within: within, df, F: between / df[0] / (within / df[1]) },
    ...{ r2: between / (between + within), residual_sd: Math.sqrt(within / df[1]) },
  }
}

/** Number, means, and sums of squares and products about them. */
interface Pairs {
  readonly n: number
  readonly x: number
  readonly y: number
  readonly xx: number
  readonly xy: number
  readonly yy: number
}

/** Rows of y and x. */
export const pairsOf = task(import.meta, 'pairsOf', (rows: readonly (readonly number[])[]): Pairs => {
  const n = rows.length
  const [y, x] = [0, 1].map((column) => sum(rows.map((row) => row[column]!)) / n) as [number, number]
  const about = (f: (dx: number, dy: number) => number): number => sum(rows.map((row) => f(row[1]! - x, row[0]! - y)))
  return { n, x, y, xx: about((dx) => dx * dx), xy: about((dx, dy) => dx * dy), yy: about((_, dy) => dy * dy) }
})

export const mergePairs = task(import.meta, 'mergePairs', (a: Pairs, b: Pairs): Pairs => {
  const n = a.n + b.n
  const [dx, dy] = [b.x - a.x, b.y - a.y]
  const share = (a.n * b.n) / n
  return {
    ...{ n, x: a.x + (dx * b.n) / n, y: a.y + (dy * b.n) / n },
    ...{ xx: a.xx + b.xx + dx * dx * share, xy: a.xy + b.xy + dx * dy * share, yy: a.yy + b.yy + dy * dy * share },
  }
})

/** Σ (y - b₀ - b₁ x)², with the line through the means. */
export const squaredResiduals = task(
  import.meta,
  'squaredResiduals',
  ({ rows, b1, x, y }: { rows: readonly (readonly number[])[]; b1: number; x: number; y: number }) =>
    sum(rows.map((row) => (row[0]! - y - b1 * (row[1]! - x)) ** 2)),
)

async function answerRegression(cluster: Cluster): Promise<Record<string, unknown>> {
  const data = chunksOf(await readRows('nist-norris.csv'), 6)
  const { n, x, y, xx, xy, yy } = await scatterGatherReduction({
    cluster,
    data,
    mapFn: pairsOf,
    reduceFn: mergePairs,
    chunkSize: 1,
  })
  const b1 = xy / xx
  const rest = sum(
    await distributeComputation(
      squaredResiduals,
      data.map((rows) => ({ rows, b1, x, y })),
      cluster,
    ),
  )
  return { b0: y - b1 * x, b1, residual_sd: Math.sqrt(rest / (n - 2)), r2: 1 - rest / yy }
}

/** How often each word is in some lines, and in which lines, from 1. */
type Words = Readonly<Record<string, { readonly count: number; readonly lines: readonly number[] }>>

/** The words of some lines, in the parts that reducers get: by their first letter. */
export const wordsOf = task(
  import.meta,
  'wordsOf',
  ({ first, lines }: { first: number; lines: readonly string[] }): Words[] => {
    const parts = range(0, 4).map(() => new Map<string, { count: number; lines: number[] }>())
    lines.forEach((line, k) => {
      for (const word of line.toLowerCase().match(/[a-z]+/g) ?? []) {
        const part = parts[word.charCodeAt(0) % 4]!
        const known = part.get(word) ?? { count: 0, lines: [] }
        known.count++
        if (known.lines.at(-1) !== first + k) known.lines.push(first + k)
        part.set(word, known)
      }
    })
    return parts.map((part) => Object.fromEntries(part))
  },
)

/** One part of all. */
export const mergeWords = task(import.meta, 'mergeWords', (parts: readonly Words[]): Words => {
  const merged = new Map<string, { count: number; lines: number[] }>()
  for (const part of parts) {
    for (const [word, { count, lines }] of Object.entries(part)) {
      const known = merged.get(word) ?? { count: 0, lines: [] }
      merged.set(word, { count: known.count + count, lines: [...known.lines, ...lines] })
    }
  }
  return Object.fromEntries(merged)
})

async function answerWordCount(cluster: Cluster): Promise<Record<string, unknown>> {
  const lines = (await readData('gpl-3.txt')).split('\n')
  const orders = chunksOf(lines, 50).map((chunk, k) => ({ first: 50 * k + 1, lines: chunk }))
  const mapped = await distributeComputation(wordsOf, orders, cluster)
  const reduced = await distributeComputation(
    mergeWords,
    range(0, 4).map((part) => mapped.map((parts) => parts[part]!)),
    cluster,
  )
  const words = new Map(reduced.flatMap((part) => Object.entries(part)))
  const byCount = [...words].sort(([a, one], [b, other]) => other.count - one.count || (a < b ? -1 : 1))
  const total = sum(byCount.map(([, { count }]) => count))
  const lengths: Record<string, number> = {}
  for (const [word, { count }] of byCount) lengths[word.length] = (lengths[word.length] ?? 0) + count
  return {
    ...{ total, distinct: words.size, top20: byCount.slice(0, 20).map(([word, { count }]) => [word, count]) },
    words_of_length: lengths,
    hapax: byCount.filter(([, { count }]) => count === 1).length,
    inverted_index_example: { word: 'a', lines: words.get('a')!.lines.slice(0, 10) },
  }
}

export const aggregationWorkloads: readonly Workload[] = [
  { name: 'mr-compensated-sums', section: 'map-reduce', answer: answerSums },
  { name: 'mr-nist-anova-smls01', section: 'map-reduce', answer: answerAnova },
  { name: 'mr-nist-norris-regression', section: 'map-reduce', answer: answerRegression },
  { name: 'mr-nist-univariate', section: 'map-reduce', answer: answerUnivariate },
  { name: 'mr-word-count-gpl3', section: 'map-reduce', answer: answerWordCount },
]
