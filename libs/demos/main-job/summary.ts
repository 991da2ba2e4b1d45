import path from 'node:path'
import {
  formatDigits,
  formatDuration,
  formatError,
  formatNumber,
  formatPercent,
  formatPlural,
} from '../report/format.js'
import { describeTask } from './problem-text.js'
import type { ReportData, ReportTask } from './report-data.js'
import { measureRun } from './run-figures.js'
import { judgeRun, outcomeOf } from './verdict.js'
import { compareWarm, sumOfFamilies } from './warm-figures.js'

const failuresTold = 3

export interface WrittenRun {
  readonly folder: string
  readonly report: string
  readonly results: string
}

/** What a person wants to know when a run is over. */
export function renderSummary(data: ReportData, written: WrittenRun): string {
  const { isGood, headline, reasons } = judgeRun(data.tasks)
  const { slots, tasksPerS, speedUp } = measureRun(data)
  const { durationMs } = data.run
  return [
    '',
    `${isGood ? '✓' : '✗'} ${headline}`,
    ...[...reasons, ...describeBad(data.tasks)].map((line) => `  ${line}`),
    `  ${formatPlural(data.tasks.length, 'problem')} in ${formatDuration(durationMs)} on ${formatPlural(slots, 'slot')} of ` +
      `${formatPlural(data.workers.length, 'worker')}: ${formatNumber(tasksPerS, 3)} tasks/s, speed-up ${formatNumber(speedUp, 3)} ×`,
    ...describeWarm(data),
    '',
    `  report   ${written.report}`,
    `  results  ${written.results}`,
    data.traceFiles.length > 0
      ? `  traces   ${path.join(written.folder, 'traces')}`
      : '  traces   none in the run folder: they went to the collector, or tracing is off',
    `  spans    ${data.traceCommand}`,
    '',
  ].join('\n')
}

/** What beginning from neighbours saved. */
function describeWarm({ tasks, warm }: ReportData): string[] {
  if (warm === undefined) return []
  const { coldIterations, warmIterations, coldMs, warmMs } = sumOfFamilies(compareWarm(tasks, warm.tasks))
  const { isGood, headline } = judgeRun(warm.tasks)
  return [
    '',
    `${isGood ? '✓' : '✗'} from neighbours: ${headline}`,
    ...describeBad(warm.tasks).map((line) => `  ${line}`),
    `  ${warmIterations} iterations instead of ${coldIterations} (${formatPercent(1 - warmIterations / coldIterations)} saved), ` +
      `${formatDuration(warmMs)} of solving instead of ${formatDuration(coldMs)}`,
  ]
}

/** The first few answers that are not right, with their cause; the report has them all. */
function describeBad(tasks: readonly ReportTask[]): string[] {
  const bad = tasks.filter((task) => outcomeOf(task) !== 'right')
  const told = bad.slice(0, failuresTold).map((task) => {
    const { objective, published, relativeError, relativeTolerance, failure, status } = task
    const cause = failure?.message.split('\n')[0] ?? `${status} without an answer`
    const distance = `J = ${formatDigits(objective, 10)}, published ${formatDigits(published, 10)}`
    const error = `relative error ${formatError(relativeError)}, allowed ${formatError(relativeTolerance)}`
    return `${describeTask(task)}: ${outcomeOf(task) === 'missing' ? cause : `${distance}, ${error}`}`
  })
  return bad.length > told.length ? [...told, `… and ${bad.length - told.length} more, all in the report`] : told
}
