import { drawLegend, type LegendEntry } from './chart/legend.js'
import { drawRing } from './chart/marks.js'
import { drawAxes, drawPanel, drawTwice } from './chart/panel.js'
import { renderFigure } from './figure.js'
import { formatNumber } from './format.js'
import { areaFor, type Axis, nameOf, scaleOf } from './line-picture.js'
import { markup, type Markup } from './markup.js'

/** A bar between two values of the x axis. */
export interface Bar {
  readonly from: number
  readonly to: number
  readonly value: number
  /** What the reference says of it. */
  readonly reference?: number
}

export interface BarPicture {
  readonly title: string
  readonly caption: string
  readonly x: Axis
  readonly y: Axis
  /** Sets of bars, drawn over each other; each is seen through the next. */
  readonly sets: readonly { readonly label: string; readonly color: number; readonly bars: readonly Bar[] }[]
}

/** A histogram, or several; rings are what references say. */
export function renderBars(picture: BarPicture): Markup {
  const { title, caption, sets } = picture
  const hasReference = sets.some(({ bars }) => bars.some(({ reference }) => reference !== undefined))
  const entries: LegendEntry[] = [
    ...sets.map(({ label, color }): LegendEntry => ({ symbol: 'block', style: `bar series-${color}`, label })),
    ...(hasReference ? [{ symbol: 'ring', style: 'ring series-2', label: 'reference' } as const] : []),
  ]
  return renderFigure({
    ...{ title, caption },
    isEmpty: sets.every(({ bars }) => bars.length === 0),
    content: markup`${drawLegend(entries)}${drawTwice(({ width, isNarrow }) => drawSets(picture, width, isNarrow))}`,
  })
}

function drawSets({ title, x, y, sets }: BarPicture, width: number, isNarrow: boolean): Markup {
  const size = { width, height: isNarrow ? 270 : 320 }
  const bars = sets.flatMap((set) => set.bars)
  const yValues = [
    ...(y.scale === 'log' ? [] : [0]),
    ...bars.flatMap(({ value, reference = value }) => [value, reference]),
  ]
  const ySpan = { ticks: isNarrow ? 4 : 6 }
  const area = areaFor(size, scaleOf(y, yValues, { from: 1, to: 0, ...ySpan }))
  const xValues = bars.flatMap(({ from, to }) => [from, to])
  const xScale = scaleOf(x, xValues, { from: area.left, to: area.right, ticks: isNarrow ? 5 : 10 })
  const yScale = scaleOf(y, yValues, { from: area.bottom, to: area.top, ...ySpan })
  const ground = y.scale === 'log' ? area.bottom : yScale.place(0)
  const drawn = sets.flatMap((set) =>
    set.bars.map(({ from, to, value }) => {
      const [left, right, top] = [xScale.place(from), xScale.place(to), yScale.place(value)]
      const text = `${set.label}, ${formatNumber(from, 4)} to ${formatNumber(to, 4)}: ${formatNumber(value)}`
      return markup`<rect class="bar series-${set.color}" x="${left + 0.5}" y="${Math.min(top, ground)}" width="${Math.max(0.8, right - left - 1)}" height="${Math.abs(ground - top)}"><title>${text}</title></rect>`
    }),
  )
  const rings = bars.map(({ from, to, reference }) =>
    reference === undefined
      ? markup``
      : drawRing(
          xScale.place((from + to) / 2),
          yScale.place(reference),
          'series-2',
          `reference: ${formatNumber(reference)}`,
        ),
  )
  return drawPanel(size, title, [
    drawAxes({ area, x: xScale, y: yScale, xName: nameOf(x), yName: nameOf(y) }),
    ...drawn,
    ...rings,
  ])
}
