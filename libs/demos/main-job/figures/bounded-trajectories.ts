import { drawLegend } from '../../report/chart/legend.js'
import { drawRule, type Series } from '../../report/chart/marks.js'
import { drawAxes, drawPanel, panelSize, plotAreaOf } from '../../report/chart/panel.js'
import { linearScale } from '../../report/chart/scale.js'
import { formatNumber } from '../../report/format.js'
import { markup, nothing, type Markup } from '../../report/markup.js'
import { stateBoundOf } from '../problem-text.js'
import type { ReportTask, ReportTrajectory } from '../report-data.js'
import { renderFigure } from '../../report/figure.js'
import { controlOf, drawSeries, pickEvenly, stateOf } from './trajectory-series.js'

/** More lines than this can't be told apart. */
const linesMax = 5

interface BoundedLine {
  readonly trajectory: ReportTrajectory
  readonly bound: number
  readonly style: string
}

/** Figure 2: position, speed and control of Bryson–Denham for a handful of state bounds. */
export function renderBoundedTrajectories(
  tasks: ReadonlyMap<number, ReportTask>,
  trajectories: readonly ReportTrajectory[],
): Markup {
  const solved = trajectories
    .filter(({ problem }) => problem === 'brysonDenham')
    .map((trajectory) => {
      const task = tasks.get(trajectory.taskIndex)
      return { trajectory, bound: task === undefined ? Number.NaN : stateBoundOf(task) }
    })
    .sort((a, b) => a.bound - b.bound)
  const lines = pickEvenly(solved, linesMax).map((line, i) => ({ ...line, style: `ramp-${i}` }))
  const entries = lines.map(({ trajectory, bound, style }) => ({
    symbol: 'line' as const,
    style,
    label: Number.isFinite(bound) ? `ℓ = ${formatNumber(bound, 4)}` : trajectory.label,
  }))
  const bounds = { symbol: 'dash' as const, style: 'bound', label: 'bound on x₁' }
  return renderFigure({
    title: 'Trajectories under the bound',
    caption: `${lines.length === 0 ? 'No' : lines.length} Bryson–Denham solutions out of the sweep. The tighter the bound, the harder the braking at both ends.`,
    isEmpty: lines.length === 0,
    content: markup`${drawLegend([...entries, bounds])}<div class="panels">
${drawOverTime(lines, 'x₁', 'position x₁', (line) => stateOf(line, 0))}
${drawOverTime(lines, 'x₂', 'speed x₂', (line) => stateOf(line, 1))}
${drawOverTime(lines, 'u', 'control u', (line) => controlOf(line, 0))}
</div>`,
  })
}

function drawOverTime(
  lines: readonly BoundedLine[],
  symbol: string,
  name: string,
  select: (trajectory: ReportTrajectory) => Series,
): Markup {
  const area = plotAreaOf(panelSize)
  const series = lines.map(({ trajectory, style, bound }) => ({ ...select(trajectory), style, bound }))
  const isBounded = symbol === 'x₁'
  const values = series.flatMap(({ y, bound }) => (isBounded ? [...Array.from(y), bound] : Array.from(y)))
  const times = series.flatMap((line) => Array.from(line.x))
  const x = linearScale(times, { from: area.left, to: area.right, ticks: 5 })
  const y = linearScale(values, { from: area.bottom, to: area.top, ticks: 5 }, 0.05)
  const rules = isBounded ? series.filter(({ bound }) => y.holds(bound)) : []
  return drawPanel(panelSize, `${name} over time for ${lines.length} state bounds`, [
    drawAxes({ area, x, y, xName: 'time t', yName: name }),
    ...rules.map(({ bound, style }) => drawRule(y, bound, [area.left, area.right], `bound ${style}`)),
    ...(series.length > 0 ? series.map((line) => drawSeries(line, x, y, line.style)) : [nothing]),
  ])
}
