import { formatCount, formatDuration, formatNumber, formatPercent, formatPlural } from '../format.js'
import { markup, type Markup } from '../markup.js'
import type { ReportData } from '../report-data.js'
import { measureRun } from '../run-figures.js'

/** The figures of the run at a glance. */
export function renderTiles(data: ReportData): Markup {
  const { slots, solveMs, tasksPerS, speedUp, efficiency } = measureRun(data)
  const tiles: readonly (readonly [string, string, string])[] = [
    ['problems', formatCount(data.tasks.length), 'one task each'],
    ['workers', formatCount(data.workers.length), formatPlural(slots, 'slot')],
    ['wall time', formatDuration(data.run.durationMs), 'submit to result'],
    ['throughput', formatFinite(tasksPerS), 'tasks per second'],
    ['solve time', formatDuration(solveMs), 'all tasks added'],
    ['speed-up', `${formatFinite(speedUp)} ×`, 'solve ÷ wall time'],
    ['efficiency', formatPercent(efficiency), 'speed-up ÷ slots'],
  ]
  return markup`<section class="tiles" aria-label="Figures of the run">${tiles.map(
    ([name, value, unit]) =>
      markup`<div class="tile"><p class="tile-name">${name}</p><p class="tile-value">${value}</p><p class="tile-unit">${unit}</p></div>`,
  )}</section>
`
}

function formatFinite(value: number): string {
  return Number.isFinite(value) ? formatNumber(value, 3) : '–'
}
