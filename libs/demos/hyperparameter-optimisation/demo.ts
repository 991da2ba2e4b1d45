import type { Demo } from '../demo/demo.js'
import { drawDot, drawRing } from '../report/chart/marks.js'
import { formatCount, formatNumber } from '../report/format.js'
import { renderLines } from '../report/line-picture.js'
import type { Markup } from '../report/markup.js'
import { renderPixels } from '../report/pixel-picture.js'
import type { Color } from '../report/png.js'
import {
  checkSearch,
  describe,
  mapArea,
  publishedLosses,
  searchHyperparameters,
  type SearchResult,
} from './hyperparameter-optimisation.js'
import { validation } from './two-moons.js'

export const hyperparameterOptimisation: Demo<SearchResult> = {
  name: 'hyperparameter-optimisation',
  title: 'Hyperparameter optimisation',
  summary:
    'How many hidden units should a network have that tells two half moons apart, and how large should its steps be? A grid of nine ' +
    'candidates, then CMA-ES over wider ranges; each candidate is a network that is trained on a worker and judged on points that it has not seen.',
  source: 'libs/demos/hyperparameter-optimisation/hyperparameter-optimisation.ts',
  compute: searchHyperparameters,
  check: checkSearch,
  tiles: ({ grid, search, best, bestValue }) => [
    ['trainings', formatCount(grid.length + search.length), `${grid.length} of them on the grid`],
    ['best loss', formatNumber(bestValue, 4), 'on points kept back'],
    ['hidden units', formatCount(best.hidden), 'of the best'],
    ['rate', formatNumber(best.rate, 3), 'of the best'],
  ],
  pictures: (result) => [drawSearch(result), drawBestSoFar(result), drawMap(result)],
}

function drawSearch({ grid, search }: SearchResult): Markup {
  const finite = search.filter(({ value }) => Number.isFinite(value))
  return renderLines({
    title: 'Loss by the size of the steps',
    caption: 'Every dot is a trained network. The grid knows three rates; the search may go beyond them.',
    x: { name: 'learning rate', scale: 'log' },
    y: { name: 'loss on points kept back', unit: 'nats', holds: [0] },
    series: [
      ...(
        [
          ['search, up to 8 hidden units', 1, (hidden: number) => hidden <= 8],
          ['search, 9 and more', 0, (hidden: number) => hidden > 8],
        ] as const
      ).map(([label, color, isOf]) => {
        const own = finite.filter(({ parameters }) => isOf(parameters.hidden))
        return {
          label,
          color,
          mark: 'dot' as const,
          x: own.map(({ parameters }) => parameters.rate),
          y: own.map(({ value }) => value),
        }
      }),
      {
        label: 'grid',
        mark: 'dot',
        color: 2,
        x: grid.map(({ parameters }) => parameters.rate),
        y: grid.map(({ value }) => value),
      },
      { label: 'published', mark: 'ring', color: 3, x: [4, 8, 16].flatMap(() => [0.1, 0.5, 1]), y: publishedLosses },
    ],
  })
}

function drawBestSoFar({ search, grid }: SearchResult): Markup {
  let best = Infinity
  const falling = search.map(({ value }) => (best = Math.min(best, Number.isFinite(value) ? value : Infinity)))
  const numbers = search.map((_, k) => k + 1)
  const ofGrid = Math.min(...grid.map(({ value }) => value))
  return renderLines({
    title: 'The search as it goes on',
    caption: 'The loss of each candidate, and of the best so far; dashed is the best of the grid.',
    x: { name: 'candidate' },
    y: { name: 'loss on points kept back', unit: 'nats', holds: [0] },
    series: [
      { label: 'candidate', mark: 'dot', color: 1, x: numbers, y: search.map(({ value }) => value) },
      { label: 'best so far', mark: 'line', color: 0, x: numbers, y: falling },
      { label: 'best of the grid', mark: 'dash', color: 2, x: [1, search.length], y: [ofGrid, ofGrid] },
    ],
  })
}

function drawMap({ map, best }: SearchResult): Markup {
  const { columns, x1, x2 } = mapArea
  const { x, y } = validation
  return renderPixels({
    title: 'What the best network thinks',
    caption: `${describe(best)}: how likely a point is of class 1, from orange (0) to blue (1); the marks are the points kept back.`,
    x: { name: 'x₁', from: x1[0], to: x1[1] },
    y: { name: 'x₂', from: x2[0], to: x2[1] },
    pixels: Uint8Array.from(map, (probability) => Math.round(255 * Math.min(1, Math.max(0, probability)))),
    ...{ width: columns, palette },
    legend: [
      { symbol: 'dot', style: 'point class-1', label: 'class 1' },
      { symbol: 'ring', style: 'point class-0', label: 'class 0' },
    ],
    marks: (place) =>
      Array.from(y, (known, row) => {
        const [atX, atY] = place(x[2 * row]!, x[2 * row + 1]!)
        return known === 1
          ? drawDot(atX, atY, 'point class-1', 'class 1')
          : drawRing(atX, atY, 'point class-0', 'class 0')
      }),
  })
}

/** Orange over white to blue. */
const palette = Array.from({ length: 256 }, (_, k): Color => {
  const [low, white, high] = [
    [236, 160, 60],
    [252, 250, 246],
    [70, 140, 220],
  ] as const
  const share = Math.abs(k / 127.5 - 1)
  const end = k < 127.5 ? low : high
  return [0, 1, 2].map((c) => Math.round(white[c]! + share * (end[c]! - white[c]!))) as unknown as Color
})
