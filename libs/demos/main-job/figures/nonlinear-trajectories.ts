import { drawLegend } from '../../report/chart/legend.js'
import { drawAxes, drawPanel, panelSize, plotAreaOf } from '../../report/chart/panel.js'
import { linearScale } from '../../report/chart/scale.js'
import { formatDigits, formatError } from '../../report/format.js'
import { markup, type Markup } from '../../report/markup.js'
import type { ReportTask, ReportTrajectory } from '../report-data.js'
import { outcomeOf } from '../verdict.js'
import { renderFigure } from '../../report/figure.js'
import { controlOf, drawSeries, pickEvenly, stateOf } from './trajectory-series.js'

const panelsMax = 6

/** Figure 3: the nonlinear problems, each with how far its cost is from the published one. */
export function renderNonlinearTrajectories(
  tasks: ReadonlyMap<number, ReportTask>,
  trajectories: readonly ReportTrajectory[],
): Markup {
  const nonlinear = trajectories.filter(({ problem }) => problem !== 'brysonDenham')
  const shown = pickEvenly(nonlinear, panelsMax)
  const panels = shown.map(
    (trajectory) =>
      markup`<div class="panel"><h3>${trajectory.label}</h3>${describeError(tasks.get(trajectory.taskIndex))}${drawStates(trajectory)}</div>`,
  )
  return renderFigure({
    title: 'Nonlinear problems',
    caption: 'Van der Pol and Rayleigh oscillators under their cheapest control.',
    isEmpty: shown.length === 0,
    content: markup`${drawLegend([
      { symbol: 'line', style: 'state-1', label: 'x₁' },
      { symbol: 'line', style: 'state-2', label: 'x₂' },
      { symbol: 'line', style: 'control', label: 'u' },
    ])}<div class="panels ${panels.length % 3 === 1 || panels.length === 2 ? 'in-two' : ''}">${panels}</div>`,
  })
}

function describeError(task: ReportTask | undefined): Markup {
  if (task === undefined) return markup`<p class="error-of">not a task of this run</p>`
  const outcome = outcomeOf(task)
  if (outcome === 'missing')
    return markup`<p class="error-of missing"><span>no result, published ${formatDigits(task.published, 8)}</span>
<span><b>✗</b> ${task.failure?.kind ?? task.status}</span></p>`
  return markup`<p class="error-of ${outcome}"><span>J = ${formatDigits(task.objective, 8)}, published ${formatDigits(task.published, 8)}</span>
<span><b>${outcome === 'right' ? '✓' : '✗'}</b> relative error ${formatError(task.relativeError)}, allowed ${formatError(task.relativeTolerance)}</span></p>`
}

function drawStates(trajectory: ReportTrajectory): Markup {
  const area = plotAreaOf(panelSize)
  const lines = [
    { ...stateOf(trajectory, 0), style: 'state-1' },
    { ...stateOf(trajectory, 1), style: 'state-2' },
    { ...controlOf(trajectory, 0), style: 'control' },
  ]
  const x = linearScale(trajectory.t, { from: area.left, to: area.right, ticks: 5 })
  const values = lines.flatMap((line) => Array.from(line.y))
  const y = linearScale(values, { from: area.bottom, to: area.top, ticks: 5 }, 0.05)
  return drawPanel(panelSize, `States and control of ${trajectory.label} over time`, [
    drawAxes({ area, x, y, xName: 'time t', yName: 'x₁, x₂, u' }),
    ...lines.map((line) => drawSeries(line, x, y, line.style)),
  ])
}
