import { formatNumber } from '../report/format.js'
import type { ProblemName, ReportTask } from './report-data.js'

/** In the order in which families are listed everywhere in the report. */
export const problemNames: readonly ProblemName[] = ['brysonDenham', 'vanDerPol', 'rayleigh']

const titles: Readonly<Record<ProblemName, string>> = {
  brysonDenham: 'Bryson–Denham',
  vanDerPol: 'van der Pol',
  rayleigh: 'Rayleigh',
}

/** The letters that the literature uses. */
const symbols: Readonly<Record<string, string>> = { stateBound: 'ℓ', horizon: 'T' }

export function titleOf(problem: ProblemName): string {
  return titles[problem]
}

/** `ℓ = 0.1111, meshIntervals = 40`; a line does not break inside one of them. */
export function describeParameters(parameters: ReportTask['parameters']): string {
  return Object.entries(parameters)
    .map(
      ([name, value]) =>
        `${symbols[name] ?? name}\u00a0=\u00a0${typeof value === 'number' ? formatNumber(value, 4) : value}`,
    )
    .join(', ')
}

/** `#12 Bryson–Denham ℓ = 0.1111`. */
export function describeTask(task: ReportTask): string {
  return `#${task.index} ${titleOf(task.problem)} ${describeParameters(task.parameters)}`.trimEnd()
}

/** The state bound ℓ of a Bryson–Denham task; NaN when the task has none. */
export function stateBoundOf(task: ReportTask): number {
  const bound = task.parameters['stateBound']
  return typeof bound === 'number' ? bound : Number.NaN
}
