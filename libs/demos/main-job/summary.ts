import path from 'node:path'
import { formatDuration, formatNumber, formatPlural } from './format.js'
import type { ReportData } from './report-data.js'
import { measureRun } from './run-figures.js'
import { judgeRun } from './verdict.js'

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
    ...reasons.map((reason) => `  ${reason}`),
    `  ${formatPlural(data.tasks.length, 'problem')} in ${formatDuration(durationMs)} on ${formatPlural(slots, 'slot')} of ` +
      `${formatPlural(data.workers.length, 'worker')}: ${formatNumber(tasksPerS, 3)} tasks/s, speed-up ${formatNumber(speedUp, 3)} ×`,
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
