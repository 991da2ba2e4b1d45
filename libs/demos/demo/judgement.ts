import { formatNumber, formatPlural } from '../report/format.js'
import type { Verdict } from '../report/verdict-banner.js'
import type { Check } from './check.js'

/** What the checks of a demo come to. Without any, nothing was shown: that is wrong. */
export function judgeChecks(checks: readonly Check[]): Verdict {
  const wrong = checks.filter(({ isRight }) => !isRight)
  if (checks.length > 0 && wrong.length === 0) {
    const headline =
      checks.length === 1
        ? 'Right: the answer agrees with its reference.'
        : `Right: ${checks.length === 2 ? 'both' : `all ${checks.length}`} answers agree with their references.`
    return { isGood: true, headline, reasons: [] }
  }
  if (checks.length === 0) return { isGood: false, headline: 'Wrong: nothing was checked.', reasons: [] }
  const verb = wrong.length === 1 ? 'does' : 'do'
  const headline = `Wrong: ${wrong.length} of ${formatPlural(checks.length, 'answer')} ${verb} not agree with the reference.`
  return { isGood: false, headline, reasons: wrong.map(describeCheck) }
}

function describeCheck({ what, ours, reference, allowed }: Check): string {
  return `${what}: ${formatAnswer(ours)}, reference ${formatAnswer(reference)} (${allowed}).`
}

/** Whole numbers in full, others to ten digits. */
export function formatAnswer(value: number | string): string {
  if (typeof value === 'string') return value
  return Number.isSafeInteger(value) ? value.toLocaleString('en-US') : formatNumber(value, 10)
}
