import { formatCount, formatDuration, formatNumber, formatPercent, formatPlural } from '../report/format.js'
import type { Tile } from '../report/tiles.js'
import type { ReportData } from './report-data.js'

/** A run in numbers; NaN where nothing was measured. */
export interface RunFigures {
  readonly slots: number
  /** Run time of all tasks added, on the workers. */
  readonly solveMs: number
  readonly tasksPerS: number
  /** How many times longer one slot would have been busy: run time of all tasks ÷ wall time. */
  readonly speedUp: number
  /** Speed-up per slot. */
  readonly efficiency: number
}

export function measureRun({ run, workers, tasks }: Pick<ReportData, 'run' | 'workers' | 'tasks'>): RunFigures {
  const slots = workers.reduce((sum, worker) => sum + worker.slots, 0)
  const runMs = tasks.map(({ startMs, endMs }) => endMs - startMs).filter((spanMs) => spanMs >= 0)
  const solveMs = runMs.reduce((sum, spanMs) => sum + spanMs, 0)
  const speedUp = solveMs / run.durationMs
  const tasksPerS = (tasks.length / run.durationMs) * 1000
  return { slots, solveMs, tasksPerS, speedUp, efficiency: speedUp / slots }
}

/** The figures of the run at a glance. */
export function listTiles(data: ReportData): readonly Tile[] {
  const { slots, solveMs, tasksPerS, speedUp, efficiency } = measureRun(data)
  return [
    ['problems', formatCount(data.tasks.length), 'one task each'],
    ['workers', formatCount(data.workers.length), formatPlural(slots, 'slot')],
    ['wall time', formatDuration(data.run.durationMs), 'submit to result'],
    ['throughput', formatFinite(tasksPerS), 'tasks per second'],
    ['solve time', formatDuration(solveMs), 'all tasks added'],
    ['speed-up', `${formatFinite(speedUp)} ×`, 'solve ÷ wall time'],
    ['efficiency', formatPercent(efficiency), 'speed-up ÷ slots'],
  ]
}

function formatFinite(value: number): string {
  return Number.isFinite(value) ? formatNumber(value, 3) : '–'
}
