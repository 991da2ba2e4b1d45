import { type Cluster, task, type TaskFuture } from 'costate'
import { distributeComputation } from 'costate/primitives'

import { createRng } from '#libs/domain'

import { chunksOf, range, readRows, sum } from './data-files.js'
import type { Workload } from './workload.js'

/** A tile's borders in the table of edit distances: its last row and its last column, the corner before each. */
interface Tile {
  readonly below: readonly number[]
  readonly right: readonly number[]
}

const symbolsOf = (stream: number, from: number, to: number): number[] =>
  range(from, to).map((i) => Math.floor(4 * createRng(17, stream, i).uniform()))

interface TileOrder {
  readonly rows: readonly [from: number, to: number]
  readonly columns: readonly [from: number, to: number]
}

/** One tile of the table (Wagner & Fischer 1974), from the tiles above and to the left; none at the borders. */
export const editTile = task(
  import.meta,
  'editTile',
  (order: TileOrder, above: Tile | null, left: Tile | null): Tile => {
    const { rows, columns } = order
    const [a, b] = [symbolsOf(0, ...rows), symbolsOf(1, ...columns)]
    let row = above === null ? range(columns[0], columns[1] + 1) : [...above.below]
    const first = left === null ? range(rows[0], rows[1] + 1) : left.right
    const right = [row.at(-1)!]
    a.forEach((symbol, i) => {
      const next = [first[i + 1]!]
      b.forEach((other, j) => next.push(Math.min(row[j]! + Number(symbol !== other), row[j + 1]! + 1, next[j]! + 1)))
      row = next
      right.push(row.at(-1)!)
    })
    return { below: row, right }
  },
)

export const firstSymbols = task(import.meta, 'firstSymbols', async (stream: number) => symbolsOf(stream, 0, 12))

async function answerEditDistance(cluster: Cluster): Promise<Record<string, unknown>> {
  const [height, width] = [2_000, 2_100]
  const last = cluster.graph((graph) => {
    const tiles: TaskFuture<Tile>[][] = []
    for (let i = 0; i < 10; i++) {
      tiles.push([])
      for (let j = 0; j < 10; j++) {
        const rows = [(i * height) / 10, ((i + 1) * height) / 10] as const
        const columns = [(j * width) / 10, ((j + 1) * width) / 10] as const
        tiles[i]!.push(graph.task(editTile, { rows, columns }, tiles[i - 1]?.[j] ?? null, tiles[i]![j - 1] ?? null))
      }
    }
    return tiles[9]![9]!
  })
  return {
    distance: (await last.result()).below.at(-1),
    first_symbols: await distributeComputation(firstSymbols, [0, 1], cluster),
  }
}

export const addTwo = task(import.meta, 'addTwo', async (a: number, b: number) => a + b)
export const addBig = task(import.meta, 'addBig', async (a: bigint, b: bigint) => a + b)
export const congruential = task(import.meta, 'congruential', async (x: number) =>
  Number((1_664_525n * BigInt(x) + 1_013_904_223n) % 4_294_967_296n),
)
export const squareModulo = task(import.meta, 'squareModulo', async (x: number) =>
  Number((BigInt(x) * BigInt(x)) % 4_294_967_296n),
)
export const exclusiveOr = task(import.meta, 'exclusiveOr', async (values: readonly number[]) =>
  values.reduce((all, value) => (all ^ value) >>> 0, 0),
)

async function answerReductionTrees(cluster: Cluster): Promise<Record<string, unknown>> {
  const tree = cluster.graph((graph) => {
    let level: (TaskFuture<number> | number)[] = range(1, 4_097).map((i) => i * i)
    while (level.length > 1) level = chunksOf(level, 2).map(([a, b]) => graph.task(addTwo, a!, b!))
    return level[0] as TaskFuture<number>
  })
  const a = await tree.result()
  const triangle = cluster.graph((graph) => {
    let row: (TaskFuture<bigint> | bigint)[] = [1n]
    for (let n = 1; n <= 64; n++) {
      const above = row
      row = range(0, n + 1).map((k) => graph.task(addBig, above[k - 1] ?? 0n, above[k] ?? 0n))
    }
    return row[32] as TaskFuture<bigint>
  })
  const b = await triangle.result()
  const chain = cluster.graph((graph) => {
    const links: TaskFuture<number>[] = []
    for (let k = 0; k < 1_000; k++) links.push(graph.task(congruential, links[k - 1] ?? 1))
    return links
  })
  const c = await chain[999]!.result()
  const squares = await distributeComputation(squareModulo, await cluster.gather(chain.slice(0, 500)), cluster)
  const halves = await distributeComputation(exclusiveOr, chunksOf(squares, 50), cluster)
  return { a, b: String(b), c, d: await cluster.submit(exclusiveOr, halves).result() }
}

interface Assignment {
  readonly count: number
  readonly sums: readonly number[]
  readonly inertia: number
}

type Points = readonly (readonly number[])[]

/** The rows of a chunk by their nearest centroid: number and sums of each. */
export const assignRows = task(import.meta, 'assignRows', (rows: Points, centroids: Points): Assignment[] => {
  const found = centroids.map(() => ({ count: 0, sums: [0, 0, 0, 0], inertia: 0 }))
  for (const row of rows) {
    const distances = centroids.map((centroid) => sum(centroid.map((c, j) => (row[j]! - c) ** 2)))
    const own = found[distances.indexOf(Math.min(...distances))]!
    own.count++
    own.inertia += Math.min(...distances)
    row.forEach((value, j) => (own.sums[j]! += value))
  }
  return found
})

async function answerKMeans(cluster: Cluster): Promise<Record<string, unknown>> {
  const rows = (await readRows('iris.csv')).map((row) => row.slice(0, 4))
  const chunks = chunksOf(rows, 30)
  let centroids = [0, 50, 100].map((row) => rows[row]!)
  for (;;) {
    const parts = await cluster.gather(chunks.map((chunk) => cluster.submit(assignRows, chunk, centroids)))
    const total = (pick: (part: Assignment) => number): number[] =>
      range(0, 3).map((k) => sum(parts.map((part) => pick(part[k]!))))
    const counts = total(({ count }) => count)
    const moved = counts.map((count, k) => range(0, 4).map((j) => total(({ sums }) => sums[j]!)[k]! / count))
    if (JSON.stringify(moved) === JSON.stringify(centroids)) {
      return { inertia: sum(total(({ inertia }) => inertia)), sizes: counts, centroids }
    }
    centroids = moved
  }
}

const links: Readonly<Record<string, readonly string[]>> = {
  ...{ A: [], B: ['C'], C: ['B'], D: ['A', 'B'], E: ['B', 'D', 'F'], F: ['B', 'E'] },
  ...{ G: ['B', 'E'], H: ['B', 'E'], I: ['B', 'E'], J: ['E'], K: ['E'] },
}
const pages = Object.keys(links)

/** What some pages give to all: a page without links gives to each as much. */
export const shareRanks = task(
  import.meta,
  'shareRanks',
  (names: readonly string[], ranks: Readonly<Record<string, number>>) => {
    const shares: Record<string, number> = Object.fromEntries(pages.map((page) => [page, 0]))
    for (const name of names) {
      const targets = links[name]!.length === 0 ? pages : links[name]!
      for (const target of targets) shares[target]! += ranks[name]! / targets.length
    }
    return shares
  },
)

async function answerPageRank(cluster: Cluster): Promise<Record<string, unknown>> {
  let rank: Record<string, number> = Object.fromEntries(pages.map((page) => [page, 1 / pages.length]))
  for (;;) {
    const parts = await cluster.gather(chunksOf(pages, 4).map((names) => cluster.submit(shareRanks, names, rank)))
    const next = Object.fromEntries(
      pages.map((page) => [page, 0.15 / pages.length + 0.85 * sum(parts.map((part) => part[page]!))]),
    )
    const change = sum(pages.map((page) => Math.abs(next[page]! - rank[page]!)))
    rank = next
    if (change < 1e-14) return { rank }
  }
}

export const taskGraphWorkloads: readonly Workload[] = [
  { name: 'dag-edit-distance-wavefront', section: 'map-reduce', answer: answerEditDistance },
  { name: 'dag-reduction-trees', section: 'map-reduce', answer: answerReductionTrees },
  { name: 'iter-kmeans-iris', section: 'map-reduce', answer: answerKMeans },
  { name: 'iter-pagerank', section: 'map-reduce', answer: answerPageRank },
]
