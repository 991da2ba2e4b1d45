import { drawLegend, type LegendEntry } from './chart/legend.js'
import { drawDot, drawLine, drawRing, type Series } from './chart/marks.js'
import { drawAxes, drawPanel, drawTwice, plotAreaOf, type PlotArea } from './chart/panel.js'
import { linearScale, logScale, type Scale, type ScaleOptions } from './chart/scale.js'
import { renderFigure } from './figure.js'
import { formatNumber } from './format.js'
import { markup, type Markup } from './markup.js'

/** What an axis shows. */
export interface Axis {
  readonly name: string
  /** None for what has no unit, such as a count. */
  readonly unit?: string
  readonly scale?: 'linear' | 'log'
  /** Values that must be on it beside the data. */
  readonly holds?: readonly number[]
}

/** Points that belong together. */
export interface PictureSeries extends Series {
  readonly label: string
  /** `ring` is for references: what lies on one shows through. */
  readonly mark: 'line' | 'thick' | 'dash' | 'dot' | 'ring'
  /** Which of the six colours, from 0. */
  readonly color: number
}

/** A moment or a place on the x axis that has a name. */
export interface PictureRule {
  readonly at: number
  readonly label: string
}

export interface LinePicture {
  readonly title: string
  readonly caption: string
  readonly x: Axis
  readonly y: Axis
  readonly series: readonly PictureSeries[]
  readonly rules?: readonly PictureRule[]
}

const letterWidth = 7
const ordinaryLetters = 5

/** Curves and points over an axis. */
export function renderLines(picture: LinePicture): Markup {
  const { title, caption, series } = picture
  return renderFigure({
    ...{ title, caption },
    isEmpty: series.every(({ x }) => x.length === 0),
    content: markup`${drawLegend(series.map(legendOf))}${drawTwice(({ width, isNarrow }) => drawSeries(picture, width, isNarrow))}`,
  })
}

function legendOf({ label, mark, color }: PictureSeries): LegendEntry {
  const symbol = mark === 'thick' ? 'line' : mark
  return { symbol, style: mark === 'dash' ? `line dashed series-${color}` : `${mark} series-${color}`, label }
}

function drawSeries({ title, x, y, series, rules = [] }: LinePicture, width: number, isNarrow: boolean): Markup {
  const size = { width, height: isNarrow ? 290 : 360 }
  const yValues = series.flatMap((one) => Array.from(one.y))
  const xValues = series.flatMap((one) => Array.from(one.x))
  const ySpan = { ticks: isNarrow ? 5 : 7 }
  const area = areaFor(size, scaleOf(y, yValues, { from: 1, to: 0, ...ySpan }))
  const xScale = scaleOf(x, xValues, { from: area.left, to: area.right, ticks: isNarrow ? 4 : 9 })
  const yScale = scaleOf(y, yValues, { from: area.bottom, to: area.top, ...ySpan })
  return drawPanel(size, title, [
    drawAxes({ area, x: xScale, y: yScale, xName: nameOf(x), yName: nameOf(y) }),
    ...rules.map((rule) => drawUpright(rule, xScale, area)),
    ...series.map((one) => drawOne(one, xScale, yScale)),
  ])
}

/** Leaves room for the longest label of the y axis. */
export function areaFor(size: { readonly width: number; readonly height: number }, y: Scale, top = 0): PlotArea {
  const letters = Math.max(...y.ticks.map(({ label }) => label.length), 0)
  return plotAreaOf(size, { left: Math.max(0, letters - ordinaryLetters) * letterWidth, top })
}

export function scaleOf(
  { scale = 'linear', holds = [] }: Axis,
  values: readonly number[],
  options: ScaleOptions,
): Scale {
  const all = [...values, ...holds]
  return scale === 'log' ? logScale(all, options) : linearScale(all, options, 0.03)
}

export function nameOf({ name, unit }: Axis): string {
  return unit === undefined ? name : `${name}, ${unit}`
}

function drawOne({ x, y, label, mark, color }: PictureSeries, xScale: Scale, yScale: Scale): Markup {
  const style = `series-${color}`
  if (mark === 'line' || mark === 'thick') return drawLine({ x, y }, xScale, yScale, `${mark} ${style}`)
  if (mark === 'dash') return drawLine({ x, y }, xScale, yScale, `dashed ${style}`)
  const draw = mark === 'ring' ? drawRing : drawDot
  const marks = Array.from(x, (vx, i) => {
    const vy = y[i]!
    if (!xScale.holds(vx) || !yScale.holds(vy)) return markup``
    return draw(xScale.place(vx), yScale.place(vy), style, `${label}: ${formatNumber(vx)}, ${formatNumber(vy, 9)}`)
  })
  return markup`${marks}`
}

function drawUpright({ at, label }: PictureRule, x: Scale, { left, right, top, bottom }: PlotArea): Markup {
  const place = x.place(at)
  // The name stands on the side that has room for it.
  const isLeft = place > (left + right) / 2
  return markup`<line class="moment" x1="${place}" x2="${place}" y1="${top - 6}" y2="${bottom}"/>
<text class="moment-name" x="${place + (isLeft ? -6 : 6)}" y="${top + 4}" text-anchor="${isLeft ? 'end' : 'start'}">${label}</text>`
}
