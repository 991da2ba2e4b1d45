import { formatCount, formatDuration, formatNumber, formatPercent, formatPlural } from '../format.js'
import { markup, type Markup } from '../markup.js'
import type { ReportData } from '../report-data.js'

/** The figures of the run at a glance. Speed-up is all run time ÷ wall time; efficiency is that per slot. */
export function renderTiles({ run, workers, tasks }: ReportData): Markup {
  const slots = workers.reduce((sum, worker) => sum + worker.slots, 0)
  const runMs = tasks.map(({ startMs, endMs }) => endMs - startMs).filter((spanMs) => spanMs >= 0)
  const solveMs = runMs.reduce((sum, spanMs) => sum + spanMs, 0)
  const speedUp = solveMs / run.durationMs
  const settledPerS = (tasks.length / run.durationMs) * 1000
  const tiles: readonly (readonly [string, string, string])[] = [
    ['problems', formatCount(tasks.length), 'one task each'],
    ['workers', formatCount(workers.length), formatPlural(slots, 'slot')],
    ['wall time', formatDuration(run.durationMs), 'submit to result'],
    ['throughput', formatFinite(settledPerS), 'tasks per second'],
    ['solve time', formatDuration(solveMs), 'all tasks added'],
    ['speed-up', `${formatFinite(speedUp)} ×`, 'solve ÷ wall time'],
    ['efficiency', formatPercent(speedUp / slots), 'speed-up ÷ slots'],
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
