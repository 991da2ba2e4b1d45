import { drawLegend, type LegendEntry } from '../../report/chart/legend.js'
import { drawCross, drawDiamond, drawDot, drawLine, drawOffScale } from '../../report/chart/marks.js'
import { drawAxes, drawPanel, drawTwice, plotAreaOf, type PlotArea } from '../../report/chart/panel.js'
import { linearScale, rangeOf, type Scale } from '../../report/chart/scale.js'
import { formatNumber } from '../../report/format.js'
import { markup, type Markup } from '../../report/markup.js'
import { describeTask, stateBoundOf } from '../problem-text.js'
import type { ReportTask } from '../report-data.js'
import { outcomeOf } from '../verdict.js'
import { exactCost, regimeEdges } from './bryson-denham-curve.js'
import { renderFigure } from '../../report/figure.js'

const curvePoints = 400
const stripHeight = 22
const letterWidth = 6.2

/** Figure 1: the optimal cost of Bryson–Denham against the state bound: what was computed, on the exact curve. */
export function renderCostCurve(tasks: readonly ReportTask[]): Markup {
  const swept = tasks.filter((task) => task.problem === 'brysonDenham' && Number.isFinite(stateBoundOf(task)))
  return renderFigure({
    title: 'Optimal cost against the state bound',
    caption:
      'Bryson–Denham: a unit mass leaves 0 with speed 1 and returns with speed −1 after unit time, never going beyond ℓ, ' +
      'with the least effort J = ½∫u² dt. Every dot is one task of the sweep; the curve is the closed form of 1963, used only to check.',
    isEmpty: swept.length === 0,
    content: markup`${drawLegend(listSymbols(swept))}${drawTwice(({ width, isNarrow }) => drawSweep(swept, width, isNarrow))}`,
  })
}

/** Only the symbols that this run has. */
function listSymbols(tasks: readonly ReportTask[]): LegendEntry[] {
  const cost = costScale(tasks, 0, 1)
  const answers = tasks.filter((task) => outcomeOf(task) !== 'missing')
  const within = answers.filter(({ objective }) => cost.holds(objective))
  const isWrong = (task: ReportTask) => outcomeOf(task) === 'wrong'
  return [
    { symbol: 'line', style: 'exact', label: 'exact J(ℓ)' },
    { symbol: 'dot', style: 'bryson-denham', label: 'computed' },
    ...(within.some(isWrong) ? [{ symbol: 'diamond', style: '', label: 'outside tolerance' } as const] : []),
    ...(within.length < answers.length ? [{ symbol: 'arrowhead', style: '', label: 'off the scale' } as const] : []),
    ...(answers.length < tasks.length ? [{ symbol: 'cross', style: '', label: 'no result' } as const] : []),
  ]
}

function drawSweep(tasks: readonly ReportTask[], width: number, isNarrow: boolean): Markup {
  const size = { width, height: isNarrow ? 290 : 380 }
  const area = plotAreaOf(size, { top: stripHeight })
  const x = linearScale(tasks.map(stateBoundOf), { from: area.left, to: area.right, ticks: isNarrow ? 5 : 10 }, 0.03)
  const y = costScale(tasks, area.bottom, area.top)
  return drawPanel(size, `Optimal cost J against state bound ℓ for ${tasks.length} Bryson–Denham problems`, [
    drawRegimes(area, x),
    drawAxes({ area, x, y, xName: 'state bound ℓ', yName: 'J' }),
    drawLine(sampleCurve(x), x, y, 'exact'),
    ...tasks.map((task) => drawTask(task, x, y)),
  ])
}

/** Follows the exact values, so that one wild answer can't flatten the curve; that answer is marked at the edge. */
function costScale(tasks: readonly ReportTask[], from: number, to: number): Scale {
  const [low, high] = rangeOf(tasks.map(stateBoundOf))
  return linearScale([exactCost(low) * 1.06, exactCost(high) * 0.85], { from, to, ticks: 6 })
}

function drawTask(task: ReportTask, x: Scale, y: Scale): Markup {
  const atX = x.place(stateBoundOf(task))
  const outcome = outcomeOf(task)
  if (outcome === 'missing')
    return drawCross(atX, y.place(exactCost(stateBoundOf(task))), `${describeTask(task)}: no result`)
  const title = `${describeTask(task)}: J = ${formatNumber(task.objective, 9)}, published ${formatNumber(task.published, 9)}`
  const atY = y.place(task.objective)
  if (!y.holds(task.objective))
    return drawOffScale(atX, atY, task.objective > y.max ? 'up' : 'down', `${title} (off the scale)`)
  return outcome === 'right' ? drawDot(atX, atY, 'bryson-denham', title) : drawDiamond(atX, atY, title)
}

function drawRegimes(area: PlotArea, x: Scale): Markup {
  const regimes = [
    { from: 0, to: regimeEdges.arcToTouch, names: ['rides along the bound: ℓ ≤ 1/6', 'rides along'] },
    { from: regimeEdges.arcToTouch, to: regimeEdges.touchToFree, names: ['touches it once', 'touches'] },
    { from: regimeEdges.touchToFree, to: Number.MAX_VALUE, names: ['never reaches it: ℓ ≥ 1/4', 'free of it', 'free'] },
  ]
  const bands = regimes.map(({ from, to, names }, i) => {
    const [left, right] = [x.place(from), x.place(to)]
    if (right - left < 1) return markup``
    const name = names.find((text) => text.length * letterWidth < right - left - 6) ?? ''
    const top = area.top - stripHeight
    return markup`<rect class="regime regime-${i}" x="${left}" y="${top}" width="${right - left}" height="${area.bottom - top}"/>
<text class="note" x="${(left + right) / 2}" y="${top + 15}" text-anchor="middle">${name}</text>`
  })
  return markup`${bands}`
}

/** The curve at even steps, and exactly at the places where its formula changes. */
function sampleCurve({ min, max }: Scale): { x: number[]; y: number[] } {
  const steps = Array.from({ length: curvePoints + 1 }, (_, i) => min + ((max - min) * i) / curvePoints)
  const x = [...steps, ...Object.values(regimeEdges)].sort((a, b) => a - b)
  return { x, y: x.map(exactCost) }
}
