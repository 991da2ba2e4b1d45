import { drawLegend, type LegendEntry } from '../../report/chart/legend.js'
import { renderFigure } from '../../report/figure.js'
import { formatDuration, formatPlural } from '../../report/format.js'
import { markup, type Markup } from '../../report/markup.js'
import { drawTimeline, type TimelineBlock } from '../../report/timeline.js'
import { describeTask, problemNames, titleOf } from '../problem-text.js'
import type { ReportTask, ReportWorker } from '../report-data.js'
import { outcomeOf } from '../verdict.js'
import { assignLanes } from './timeline-lanes.js'

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
  const blocks = lanes.map((lane) => ({ name: lane.name, blocks: lane.tasks.map(describeBlock) }))
  return renderFigure({
    title: 'Task timeline',
    caption: `One lane per worker slot, one block per task; bare lane is idle time, and the share at the right is how much of the run the slot was busy.${missing}`,
    isEmpty: lanes.length === 0,
    content: markup`${drawLegend(entries)}${drawTimeline({ lanes: blocks, durationMs })}`,
  })
}

function describeBlock(task: ReportTask): TimelineBlock {
  const { startMs, endMs } = task
  const outcome = outcomeOf(task)
  const result = { right: '', wrong: ', outside tolerance', missing: `, ${task.failure?.kind ?? task.status}` }[outcome]
  return {
    ...{ fromMs: startMs, toMs: endMs, style: outcome === 'right' ? task.problem : 'bad' },
    title: `${describeTask(task)}: ${formatDuration(endMs - startMs)} from ${formatDuration(startMs)}${result}`,
    isFlagged: outcome !== 'right',
  }
}
