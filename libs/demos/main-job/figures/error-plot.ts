import { drawLegend, type LegendEntry } from '../../report/chart/legend.js'
import { drawCross, drawDiamond, drawDot, drawRule } from '../../report/chart/marks.js'
import { drawAxes, drawPanel, drawTwice, plotAreaOf, type PlotArea } from '../../report/chart/panel.js'
import { logScale, type Scale } from '../../report/chart/scale.js'
import { formatError } from '../../report/format.js'
import { markup, type Markup } from '../../report/markup.js'
import { describeTask, titleOf } from '../problem-text.js'
import type { ReportTask } from '../report-data.js'
import { outcomeOf } from '../verdict.js'
import { groupByProblem, toleranceRuns, type ProblemGroup } from './error-groups.js'
import { renderFigure } from '../../report/figure.js'

/** Errors below this are rounding; an error of exactly 0 is drawn there too. */
const errorFloor = 1e-16
const missingBandHeight = 26

/** Figure 5: how far every answer is from the published value, beside what was allowed. */
export function renderErrorPlot(tasks: readonly ReportTask[]): Markup {
  const outcomes = new Set(tasks.map(outcomeOf))
  const groups = groupByProblem(tasks)
  const entries: LegendEntry[] = [
    { symbol: 'dash', style: 'tolerance', label: 'tolerance' },
    ...groups.map(({ problem }) => ({ symbol: 'dot' as const, style: problem, label: titleOf(problem) })),
    ...(outcomes.has('wrong') ? [{ symbol: 'diamond', style: '', label: 'outside tolerance' } as const] : []),
    ...(outcomes.has('missing') ? [{ symbol: 'cross', style: '', label: 'no result' } as const] : []),
  ]
  return renderFigure({
    title: 'Error of every answer',
    caption:
      'Relative error of the cost against the published value, on a logarithmic axis: each dot is one task, in the order of the sweep within its problem family. What lies above its tolerance line is wrong.',
    isEmpty: tasks.length === 0,
    content: markup`${drawLegend(entries)}${drawTwice(({ width, isNarrow }) => drawErrors(groups, outcomes.has('missing'), width, isNarrow))}`,
  })
}

function drawErrors(groups: readonly ProblemGroup[], hasMissing: boolean, width: number, isNarrow: boolean): Markup {
  const size = { width, height: isNarrow ? 290 : 340 }
  const area = plotAreaOf(size, { top: hasMissing ? missingBandHeight : 0, left: hasMissing ? 18 : 0 })
  const tasks = groups.flatMap((group) => group.tasks)
  const errors = tasks.flatMap(({ relativeError, relativeTolerance }) => [
    Math.max(errorFloor, relativeError),
    relativeTolerance,
  ])
  const y = logScale(errors, { from: area.bottom, to: area.top, ticks: isNarrow ? 6 : 9 })
  return drawPanel(size, `Relative error of ${tasks.length} answers on a logarithmic axis`, [
    drawAxes({ area, x: { ...y, ticks: [] }, y, xName: '', yName: 'relative error' }),
    hasMissing ? drawMissingBand(area) : markup``,
    ...drawGroups(groups, area, y, isNarrow),
  ])
}

function drawMissingBand({ left, right, top }: PlotArea): Markup {
  return markup`<rect class="missing-band" x="${left}" y="${top - missingBandHeight}" width="${right - left}" height="${missingBandHeight - 8}"/>
<text class="tick" x="${left - 7}" y="${top - 13}" text-anchor="end">no result</text>`
}

function drawGroups(groups: readonly ProblemGroup[], area: PlotArea, y: Scale, isNarrow: boolean): Markup[] {
  const shares = shareWidth(groups, isNarrow ? 0.24 : 0.1)
  let left = area.left
  return groups.map((group, i) => {
    const right = left + shares[i]! * (area.right - area.left)
    const drawn = drawGroup(group, { ...area, left, right }, y)
    left = right
    return drawn
  })
}

function drawGroup({ problem, tasks }: ProblemGroup, area: PlotArea, y: Scale): Markup {
  const step = (area.right - area.left) / tasks.length
  const at = (i: number) => area.left + (i + 0.5) * step
  const marks = tasks.map((task, i) => {
    const outcome = outcomeOf(task)
    const title = `${describeTask(task)}: relative error ${formatError(task.relativeError)}, allowed ${formatError(task.relativeTolerance)}`
    if (outcome === 'missing' || Number.isNaN(task.relativeError))
      return drawCross(at(i), area.top - missingBandHeight / 2 - 4, `${title}, ${task.failure?.kind ?? task.status}`)
    const atY = y.place(task.relativeError)
    return outcome === 'right' ? drawDot(at(i), atY, problem, title) : drawDiamond(at(i), atY, title)
  })
  const rules = toleranceRuns(tasks).map(({ first, last, tolerance }) =>
    drawRule(y, tolerance, [at(first) - step / 2, at(last) + step / 2], 'tolerance'),
  )
  const middle = (area.left + area.right) / 2
  return markup`<line class="axis" x1="${area.left}" x2="${area.left}" y1="${area.top}" y2="${area.bottom + 4}"/>
<text class="tick" x="${middle}" y="${area.bottom + 17}" text-anchor="middle">${titleOf(problem)}</text>
<text class="tick" x="${middle}" y="${area.bottom + 33}" text-anchor="middle">${`${tasks.length}`}</text>
${rules}${marks}`
}

/** Widths by the number of tasks, but no family narrower than `least`, which its name needs; they sum to 1. */
function shareWidth(groups: readonly ProblemGroup[], least: number): number[] {
  const total = groups.reduce((sum, { tasks }) => sum + tasks.length, 0)
  const left = 1 - least * groups.length
  return groups.map(({ tasks }) => least + (left * tasks.length) / total)
}
