import { type Cluster, task, type TaskFuture } from 'costate'
import { distributeComputation } from 'costate/primitives'

import { createRng } from '#libs/domain'

import { range, sum } from './data-files.js'
import type { Workload } from './workload.js'

const batchSize = 5_000
const batches = 20

/** Stage 1: a batch of normal numbers. */
export const generate = task(import.meta, 'generate', async (batch: number) =>
  createRng(404, 0, batch * batchSize).normals(batchSize),
)

interface Scan {
  readonly x: Float64Array
  readonly last: number
  readonly top: number
  readonly topIndex: number
}

/** Stage 2: the running sum, from where the batch before has come to; and the largest of it so far. */
export const scan = task(
  import.meta,
  'scan',
  async (batch: number, z: Float64Array, before: Scan | null): Promise<Scan> => {
    let [last, top, topIndex] = [before?.last ?? 0, before?.top ?? -Infinity, before?.topIndex ?? -1]
    const x = z.map((value) => (last += value))
    x.forEach((value, k) => {
      if (value > top) [top, topIndex] = [value, batch * batchSize + k]
    })
    return { x, last, top, topIndex }
  },
)

interface Kept {
  readonly count: number
  readonly total: number
  readonly most: number
  readonly histogram: Readonly<Record<string, number>>
}

/** Stages 3 to 5: second differences, with the first two values of the next batch; those above 1 in size; their histogram. */
export const reduceBatch = task(import.meta, 'reduceBatch', async ({ x }: Scan, next: Scan | null): Promise<Kept> => {
  const all = [...x, ...(next?.x.subarray(0, 2) ?? [])]
  const kept = range(0, all.length - 2)
    .map((n) => all[n + 2]! - 2 * all[n + 1]! + all[n]!)
    .filter((y) => Math.abs(y) > 1)
  const histogram: Record<string, number> = {}
  for (const y of kept) histogram[Math.floor(y)] = (histogram[Math.floor(y)] ?? 0) + 1
  return { count: kept.length, total: sum(kept), most: Math.max(...kept), histogram }
})

/** At most so many batches are under way. */
const queueBound = 4

async function answerSignal(cluster: Cluster): Promise<Record<string, unknown>> {
  const scans: TaskFuture<Scan>[] = []
  const reduced: TaskFuture<Kept>[] = []
  for (let batch = 0; batch < batches; batch++) {
    scans.push(cluster.submit(scan, batch, cluster.submit(generate, batch), scans[batch - 1] ?? null))
    if (batch > 0) reduced.push(cluster.submit(reduceBatch, scans[batch - 1]!, scans[batch]!))
    await reduced[batch - queueBound]?.result()
  }
  reduced.push(cluster.submit(reduceBatch, scans[batches - 1]!, null))
  const parts = await cluster.gather(reduced)
  const end = await scans[batches - 1]!.result()
  const histogram: Record<string, number> = {}
  for (const part of parts)
    for (const [bin, count] of Object.entries(part.histogram)) histogram[bin] = (histogram[bin] ?? 0) + count
  return {
    ...{ x_last: end.last, x_max_index: end.topIndex, count_kept: sum(parts.map(({ count }) => count)) },
    ...{ sum_kept: sum(parts.map(({ total }) => total)), max_kept: Math.max(...parts.map(({ most }) => most)) },
    histogram: Object.fromEntries(Object.entries(histogram).sort(([a], [b]) => Number(a) - Number(b))),
  }
}

type Cells = readonly (readonly [x: number, y: number])[]

const bandHeight = 40
const halo = 20

/** Some generations of a band of the plane: with the cells of a halo as wide as there are generations, its own cells are right. */
export const evolveBand = task(
  import.meta,
  'evolveBand',
  ({ band, cells, generations }: { band: number; cells: Cells; generations: number }): Cells => {
    let alive = new Set(cells.map(([x, y]) => `${x},${y}`))
    for (let generation = 0; generation < generations; generation++) {
      const neighbours = new Map<string, number>()
      for (const cell of alive) {
        const [x, y] = cell.split(',').map(Number) as [number, number]
        for (const dx of [-1, 0, 1]) {
          for (const dy of [-1, 0, 1]) {
            const key = `${x + dx},${y + dy}`
            if (dx !== 0 || dy !== 0) neighbours.set(key, (neighbours.get(key) ?? 0) + 1)
          }
        }
      }
      alive = new Set(
        [...neighbours].filter(([key, count]) => count === 3 || (count === 2 && alive.has(key))).map(([key]) => key),
      )
    }
    const own = [...alive].map((cell) => cell.split(',').map(Number) as [number, number])
    return own.filter(([, y]) => Math.floor(y / bandHeight) === band).sort(([x1, y1], [x2, y2]) => y1 - y2 || x1 - x2)
  },
)

async function answerLife(cluster: Cluster): Promise<Record<string, unknown>> {
  const stops = [10, 100, 500, 1_000, 1_103]
  const population: Record<string, number> = {}
  let cells: Cells = [
    [1, 0],
    [2, 0],
    [0, 1],
    [1, 1],
    [1, 2],
  ]
  for (let generation = 0; generation < 1_103;) {
    const generations = Math.min(halo, stops.find((stop) => stop > generation)! - generation)
    // A band without cells near it stays empty.
    const bands = [
      ...new Set(cells.flatMap(([, y]) => [-generations, 0, generations].map((d) => Math.floor((y + d) / bandHeight)))),
    ].sort((a, b) => a - b)
    const orders = bands.map((band) => {
      const [low, high] = [band * bandHeight - generations, (band + 1) * bandHeight + generations]
      return { band, generations, cells: cells.filter(([, y]) => y >= low && y < high) }
    })
    cells = (await distributeComputation(evolveBand, orders, cluster)).flat()
    generation += generations
    if (stops.includes(generation)) population[generation] = cells.length
  }
  return { population }
}

export const streamWorkloads: readonly Workload[] = [
  { name: 'pipeline-signal', section: 'map-reduce', answer: answerSignal },
  { name: 'stencil-game-of-life', section: 'map-reduce', answer: answerLife },
]
