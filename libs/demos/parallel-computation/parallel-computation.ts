import { asCompleted, task } from 'costate'
import { parameterGrid } from 'costate/primitives'

import { checkEach, checkNumber, checkSame, type Check } from '../demo/check.js'
import type { Setting } from '../demo/demo.js'

/** The published grid has 256 × 256 cells; a task takes a tile of 32 × 32 of them, each divided further. */
const cells = 256
const tileCells = 32
const iterations = 256

/** A tile of the plane, and how finely its cells are divided: 3 or 9, so that the middle of a cell is a point. */
export interface Tile {
  readonly row: number
  readonly column: number
  readonly division: number
}

/** What is known of a tile. */
export interface TileCounts {
  /** Iterations of the cells' middles, added. */
  readonly total: number
  /** Middles that never escaped. */
  readonly inSet: number
  /** Points of the finer grid that never escaped, and all of them. */
  readonly fineInSet: number
  readonly finePoints: number
  /** uint8[96, 96], row-major: every cell as 3 × 3 pixels, iterations of each. */
  readonly pixels: Uint8Array
}

/** How often z ← z² + c stays within 2, at most 256 times. */
function escapeCount(x: number, y: number): number {
  let [zx, zy, count] = [0, 0, 0]
  while (count < iterations) {
    const [x2, y2] = [zx * zx, zy * zy]
    if (x2 + y2 > 4) break
    count++
    zy = 2 * zx * zy + y
    zx = x2 - y2 + x
  }
  return count
}

/** A task: what it takes and gives travels, and typed arrays travel as they are. */
export const countTile = task(
  import.meta,
  'countTile',
  async ({ row, column, division }: Tile): Promise<TileCounts> => {
    const [points, middle, side] = [tileCells * division, (division - 1) / 2, 3 * tileCells]
    const counts = { total: 0, inSet: 0, fineInSet: 0, finePoints: points ** 2, pixels: new Uint8Array(side ** 2) }
    const pixelSize = division / 3
    const pixelMiddle = (pixelSize - 1) / 2
    for (let j = 0; j < points; j++) {
      const y = -1.25 + (2.5 * (row * points + j + 0.5)) / (cells * division)
      for (let i = 0; i < points; i++) {
        const count = escapeCount(-2 + (2.5 * (column * points + i + 0.5)) / (cells * division), y)
        if (count === iterations) counts.fineInSet++
        if (i % division === middle && j % division === middle) {
          counts.total += count
          if (count === iterations) counts.inSet++
        }
        if (i % pixelSize === pixelMiddle && j % pixelSize === pixelMiddle) {
          counts.pixels[Math.floor(j / pixelSize) * side + Math.floor(i / pixelSize)] = Math.min(255, count)
        }
      }
    }
    return counts
  },
)

export interface ParallelResult {
  /** In rows: by row, then by column. */
  readonly tiles: readonly (TileCounts & { readonly row: number; readonly column: number; readonly workerId: string })[]
  /** All tasks added, and from the submit until the last result; ms. */
  readonly busyMs: number
  readonly wallMs: number
  readonly workers: readonly string[]
}

export async function computeInParallel({ isReduced, startCluster, follow }: Setting): Promise<ParallelResult> {
  await using cluster = await startCluster({ workers: 2 })
  const places = Array.from({ length: cells / tileCells }, (_, k) => k)
  const tiles = parameterGrid({ row: places, column: places, division: [isReduced ? 3 : 9] })

  // One job of 64 tasks. Tiles in the set take long, others no time: whoever is free takes the next.
  const submittedAtMs = performance.now()
  const futures = cluster.map(countTile, tiles)
  const onProgress = follow('tiles', 'tiles')
  let done = 0
  for await (const _tile of asCompleted(futures)) onProgress({ done: ++done, failed: 0, total: tiles.length })
  const counts = await cluster.gather(futures)
  const wallMs = performance.now() - submittedAtMs

  return {
    tiles: counts.map((tile, k) => ({ ...tile, ...tiles[k]!, workerId: futures[k]!.timing!.workerId })),
    busyMs: futures.reduce((sum, { timing }) => sum + timing!.endedAtMs - timing!.startedAtMs, 0),
    wallMs,
    workers: (await cluster.workers()).map(({ id }) => id),
  }
}

/** By tile of 64 × 64 cells, in rows: two by two of the tiles here. */
export const publishedTotals = [
  ...[7831, 12738, 81383, 80614, 19352, 331210, 899130, 777994],
  ...[19352, 331210, 899130, 777994, 7831, 12738, 81383, 80614],
]
export const publishedInSet = 15946
const counted = 'the definition, counted with NumPy'

export function checkTiles({ tiles }: ParallelResult): Check[] {
  const totals = publishedTotals.map((_, k) =>
    sum(
      tiles.filter(({ row, column }) => Math.floor(row / 2) * 4 + Math.floor(column / 2) === k),
      ({ total }) => total,
    ),
  )
  const area = (6.25 * sum(tiles, ({ fineInSet }) => fineInSet)) / sum(tiles, ({ finePoints }) => finePoints)
  const inSet = sum(tiles, (tile) => tile.inSet)
  return [
    checkEach({
      what: 'iterations in 16 tiles',
      ours: totals,
      reference: publishedTotals,
      absolute: 0,
      source: counted,
    }),
    checkSame({ what: 'cells in the set', ours: inSet, reference: publishedInSet, source: counted }),
    checkNumber({
      ...{ what: 'area of the set, at 256 iterations', ours: area, reference: 1.5065918849, absolute: 0.02 },
      source: 'Förstemann (2012), by counting pixels',
    }),
  ]
}

function sum<T>(items: readonly T[], valueOf: (item: T) => number): number {
  return items.reduce((total, item) => total + valueOf(item), 0)
}
