import { drawLegend, type LegendEntry } from '../../report/chart/legend.js'
import { drawPanel, drawTwice } from '../../report/chart/panel.js'
import { linearScale, type Scale } from '../../report/chart/scale.js'
import { formatDuration, formatPercent, formatPlural } from '../../report/format.js'
import { markup, nothing, type Markup } from '../../report/markup.js'
import { describeTask, problemNames, titleOf } from '../problem-text.js'
import type { ReportTask, ReportWorker } from '../report-data.js'
import { outcomeOf } from '../verdict.js'
import { renderFigure } from '../../report/figure.js'
import { assignLanes, type Lane } from './timeline-lanes.js'

const laneGap = 4
const axisHeight = 36
const topHeight = 22
const letterWidth = 7.7

/** Figure 4: what every slot did and when; white space is a slot that waits. */
export function renderTimeline(
  workers: readonly ReportWorker[],
  tasks: readonly ReportTask[],
  durationMs: number,
): Markup {
  const { lanes, unplaced } = assignLanes(workers, tasks)
  const present = new Set(tasks.map(({ problem }) => problem))
  const entries: LegendEntry[] = problemNames
    .filter((problem) => present.has(problem))
    .map((problem) => ({ symbol: 'block', style: `task ${problem}`, label: titleOf(problem) }))
  if (lanes.some((lane) => lane.tasks.some((task) => outcomeOf(task) !== 'right')))
    entries.push({ symbol: 'block', style: 'task bad', label: 'failed or outside tolerance (▾)' })
  const missing = unplaced.length > 0 ? ` ${formatPlural(unplaced.length, 'task')} never ran on a worker.` : ''
  return renderFigure({
    title: 'Task timeline',
    caption: `One lane per worker slot, one block per task; bare lane is idle time, and the share at the right is how much of the run the slot was busy.${missing}`,
    isEmpty: lanes.length === 0,
    content: markup`${drawLegend(entries)}${drawTwice(({ width, isNarrow }) => drawLanes(lanes, durationMs, width, isNarrow))}`,
  })
}

function drawLanes(lanes: readonly Lane[], durationMs: number, width: number, isNarrow: boolean): Markup {
  const labelLetters = isNarrow ? 12 : 24
  const longest = Math.max(...lanes.map(({ name }) => Math.min(labelLetters, name.length)), 4)
  const [left, right] = [longest * letterWidth + 10, width - 52]
  const laneHeight = lanes.length <= 8 ? 24 : lanes.length <= 24 ? 16 : 12
  const bottom = topHeight + lanes.length * (laneHeight + laneGap)
  const ends = lanes.flatMap((lane) => lane.tasks.map(({ endMs }) => endMs))
  const x = linearScale([0, durationMs, ...ends], { from: left, to: right, ticks: isNarrow ? 4 : 10 })
  const unit =
    x.max < 1000 ? { name: 'ms', ms: 1 } : x.max < 600_000 ? { name: 's', ms: 1000 } : { name: 'min', ms: 60_000 }
  const axis = linearScale([x.min / unit.ms, x.max / unit.ms], { from: left, to: right, ticks: isNarrow ? 4 : 10 })
  const ticks = axis.ticks.map(({ value, label }) => {
    const at = axis.place(value)
    return markup`<line class="grid" x1="${at}" x2="${at}" y1="${topHeight}" y2="${bottom}"/>
<text class="tick" x="${at}" y="${bottom + 14}" text-anchor="middle">${label}</text>`
  })
  const size = { width, height: bottom + axisHeight }
  return drawPanel(size, `Which task ran when on each of ${formatPlural(lanes.length, 'slot')}`, [
    ...lanes.map((lane, i) => {
      const top = topHeight + i * (laneHeight + laneGap)
      const middle = top + laneHeight / 2 + 4
      return markup`<rect class="lane" x="${left}" y="${top}" width="${right - left}" height="${laneHeight}"/>
<text class="tick" x="${left - 8}" y="${middle}" text-anchor="end">${shorten(lane.name, labelLetters)}<title>${lane.name}</title></text>
<text class="tick" x="${width - 6}" y="${middle}" text-anchor="end">${formatPercent(busyShare(lane, durationMs))}</text>`
    }),
    ...ticks,
    ...lanes.flatMap((lane, i) =>
      lane.tasks.map((task) => drawBlock(task, x, topHeight + i * (laneHeight + laneGap), laneHeight)),
    ),
    markup`<text class="name" x="${left - 8}" y="13" text-anchor="end">slot</text>
<text class="name" x="${width - 6}" y="13" text-anchor="end">busy</text>
<text class="name" x="${right}" y="${bottom + 31}" text-anchor="end">${`time since submit, ${unit.name}`}</text>`,
  ])
}

function drawBlock(task: ReportTask, x: Scale, top: number, height: number): Markup {
  const [from, to] = [x.place(task.startMs), x.place(task.endMs)]
  // A hair narrower than it lasted, so that tasks back to back remain countable; never so narrow that it vanishes.
  const width = Math.max(0.8, to - from - (to - from > 3 ? 0.8 : 0))
  const outcome = outcomeOf(task)
  const result = { right: '', wrong: ', outside tolerance', missing: `, ${task.failure?.kind ?? task.status}` }[outcome]
  const title = `${describeTask(task)}: ${formatDuration(task.endMs - task.startMs)} from ${formatDuration(task.startMs)}${result}`
  const style = outcome === 'right' ? task.problem : 'bad'
  const flag =
    outcome === 'right'
      ? nothing
      : markup`<path class="flag" d="M${from + width / 2 - 4} ${top - 3}h8l-4 6z"><title>${title}</title></path>`
  return markup`<rect class="task ${style}" x="${from}" y="${top + 2}" width="${width}" height="${height - 4}"><title>${title}</title></rect>${flag}`
}

function busyShare({ tasks }: Lane, durationMs: number): number {
  const busyMs = tasks.reduce((sum, { startMs, endMs }) => sum + Math.max(0, endMs - startMs), 0)
  return busyMs / durationMs
}

/** Keeps both ends: ids that start alike mostly differ at the end. */
function shorten(text: string, letters: number): string {
  if (text.length <= letters) return text
  const tail = Math.ceil((letters - 1) * 0.6)
  return `${text.slice(0, letters - 1 - tail)}…${text.slice(-tail)}`
}
