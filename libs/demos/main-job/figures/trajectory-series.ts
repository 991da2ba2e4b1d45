import { drawLine, drawSteps, type Series } from '../../report/chart/marks.js'
import type { Scale } from '../../report/chart/scale.js'
import type { Markup } from '../../report/markup.js'
import type { ReportTrajectory } from '../report-data.js'

/** One state over time. */
export function stateOf({ t, x, stateSize }: ReportTrajectory, component: number): Series {
  return { x: t, y: column(x, stateSize, component) }
}

/** One control over time; one value less than times when it is constant between them. */
export function controlOf({ t, u, controlSize }: ReportTrajectory, component: number): Series {
  return { x: t, y: column(u, controlSize, component) }
}

/** Draws values at points as a line and values between points as steps. */
export function drawSeries(series: Series, x: Scale, y: Scale, style: string): Markup {
  const draw = series.y.length < series.x.length ? drawSteps : drawLine
  return draw(series, x, y, style)
}

/** `count` of them spread evenly, first and last included. */
export function pickEvenly<T>(items: readonly T[], count: number): T[] {
  if (items.length <= count) return [...items]
  return Array.from({ length: count }, (_, i) => items[Math.round((i * (items.length - 1)) / (count - 1))]!)
}

function column(rowMajor: Float64Array, size: number, component: number): Float64Array {
  const rows = component < size ? Math.floor(rowMajor.length / size) : 0
  const values = new Float64Array(rows)
  for (let row = 0; row < rows; row++) values[row] = rowMajor[row * size + component]!
  return values
}
