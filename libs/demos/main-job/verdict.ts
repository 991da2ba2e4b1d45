import { formatPlural } from '../report/format.js'
import type { Verdict } from '../report/verdict-banner.js'
import type { ReportTask } from './report-data.js'

/** `right` within tolerance, `wrong` with a number that is not, `missing` without any number. */
export type Outcome = 'right' | 'wrong' | 'missing'

/**
 * Judges one task from its numbers as well as from what it says of itself: a NaN compares false with everything,
 * so only an error that is really at or below the tolerance counts as right.
 */
export function outcomeOf(task: ReportTask): Outcome {
  if (task.status !== 'finished' || !Number.isFinite(task.objective)) return 'missing'
  return task.withinTolerance && task.relativeError <= task.relativeTolerance ? 'right' : 'wrong'
}

export function judgeRun(tasks: readonly ReportTask[]): Verdict {
  if (tasks.length === 0)
    return { isGood: false, headline: 'Nothing was solved: the run has no problems.', reasons: [] }
  const outcomes = tasks.map(outcomeOf)
  const wrong = outcomes.filter((outcome) => outcome === 'wrong').length
  const missing = outcomes.filter((outcome) => outcome === 'missing').length
  if (wrong + missing === 0) {
    const headline =
      tasks.length === 1
        ? 'The answer agrees with the published value within its tolerance.'
        : `All ${formatPlural(tasks.length, 'answer')} agree with the published values within tolerance.`
    return { isGood: true, headline, reasons: [] }
  }
  const verb = wrong + missing === 1 ? 'has' : 'have'
  return {
    isGood: false,
    headline: `${wrong + missing} of ${formatPlural(tasks.length, 'problem')} ${verb} no right answer.`,
    reasons: [...describeWrong(wrong), ...describeMissing(tasks)],
  }
}

function describeWrong(count: number): string[] {
  if (count === 0) return []
  return [
    `${formatPlural(count, 'answer')} ${count === 1 ? 'is' : 'are'} further from the published value than allowed.`,
  ]
}

function describeMissing(tasks: readonly ReportTask[]): string[] {
  const count = { failed: 0, cancelled: 0, empty: 0 }
  const kinds = new Map<string, number>()
  for (const task of tasks) {
    if (outcomeOf(task) !== 'missing') continue
    count[task.status === 'finished' ? 'empty' : task.status]++
    const kind = task.failure?.kind ?? 'no cause given'
    if (task.status === 'failed') kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
  }
  const causes = [...kinds].map(([kind, times]) => (kinds.size === 1 ? kind : `${times} × ${kind}`)).join(', ')
  return [
    ...(count.failed > 0 ? [`${formatPlural(count.failed, 'task')} failed: ${causes}.`] : []),
    ...(count.cancelled > 0
      ? [`${formatPlural(count.cancelled, 'task')} ${count.cancelled === 1 ? 'was' : 'were'} cancelled.`]
      : []),
    ...(count.empty > 0 ? [`${formatPlural(count.empty, 'task')} finished without a finite objective.`] : []),
  ]
}
