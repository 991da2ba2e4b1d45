import type { Demo } from '../demo/demo.js'
import { formatCount, formatDuration, formatNumber } from '../report/format.js'
import type { Markup } from '../report/markup.js'
import { type PixelFrame, renderPixels } from '../report/pixel-picture.js'
import type { Color } from '../report/png.js'
import { checkTiles, computeInParallel, type ParallelResult } from './parallel-computation.js'

export const parallelComputation: Demo<ParallelResult> = {
  name: 'parallel-computation',
  title: 'A parallel computation',
  summary:
    'The plane is cut into 64 tiles, each is a task, and whichever worker is free takes the next: tiles inside the Mandelbrot set take ' +
    'long, tiles outside almost no time. The counts of the cells are known, so that each tile can be held against them.',
  source: 'libs/demos/parallel-computation/parallel-computation.ts',
  compute: computeInParallel,
  check: checkTiles,
  tiles: ({ tiles, busyMs, wallMs, workers }) => [
    ['tiles', formatCount(tiles.length), 'one task each'],
    ['workers', formatCount(workers.length), 'one slot each'],
    ['wall time', formatDuration(wallMs), 'submit to result'],
    ['their time', formatDuration(busyMs), 'all tasks added'],
    ['speed-up', `${formatNumber(busyMs / wallMs, 3)} ×`, 'task time ÷ wall time'],
  ],
  pictures: (result) => [drawSet(result)],
}

const side = 8
const tilePixels = 96

function drawSet({ tiles, workers }: ParallelResult): Markup {
  const width = side * tilePixels
  const pixels = new Uint8Array(width * width)
  for (const { row, column, pixels: own } of tiles) {
    // The first row of a picture is its upper edge, that of the grid its lower.
    for (let j = 0; j < tilePixels; j++) {
      const at = (width - 1 - (row * tilePixels + j)) * width + column * tilePixels
      pixels.set(own.subarray(j * tilePixels, (j + 1) * tilePixels), at)
    }
  }
  const edge = 2.5 / side
  const frames = tiles.map(({ row, column, workerId }): PixelFrame => ({
    x: [-2 + column * edge, -2 + (column + 1) * edge],
    y: [-1.25 + row * edge, -1.25 + (row + 1) * edge],
    color: colorOf(workers, workerId),
    title: `row ${row}, column ${column}: ${workerId}`,
  }))
  return renderPixels({
    title: 'The tiles, and who computed them',
    caption:
      'How often z ← z² + c stays within 2: dark blue leaves at once, black never. The frame of a tile tells the worker that it ran on.',
    x: { name: 'Re c', from: -2, to: 0.5 },
    y: { name: 'Im c', from: -1.25, to: 1.25 },
    ...{ pixels, width, palette, frames },
    legend: workers.map((id) => ({ symbol: 'block', style: `bar series-${colorOf(workers, id)}`, label: id })),
  })
}

/** Two workers in colours that differ on dark blue as on black. */
function colorOf(workers: readonly string[], id: string): number {
  return [2, 3, 1, 4, 5, 0][Math.max(0, workers.indexOf(id)) % 6]!
}

/** From dark blue over white to orange, by the logarithm of the count; black at the end. */
const palette = Array.from({ length: 256 }, (_, count): Color => {
  if (count === 255) return [12, 14, 20]
  const share = Math.log(1 + count) / Math.log(256)
  const stops: readonly Color[] = [
    [8, 24, 72],
    [30, 96, 178],
    [232, 242, 250],
    [250, 176, 60],
    [150, 50, 20],
  ]
  const place = share * (stops.length - 1)
  const from = Math.min(stops.length - 2, Math.floor(place))
  return [0, 1, 2].map((c) =>
    Math.round(stops[from]![c]! + (place - from) * (stops[from + 1]![c]! - stops[from]![c]!)),
  ) as unknown as Color
})
