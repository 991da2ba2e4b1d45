import { markup, nothing, type Markup } from './markup.js'

/** What a run is worth. */
export interface Verdict {
  /** Every answer is there and right, and there is at least one: what the exit code of the run goes by. */
  readonly isGood: boolean
  readonly headline: string
  /** One sentence for each way in which answers are not right. */
  readonly reasons: readonly string[]
}

/** @param details where the page says more of what is not right, such as `#failures`. */
export function renderVerdictBanner({ isGood, headline, reasons }: Verdict, details: string): Markup {
  const more =
    reasons.length === 0
      ? nothing
      : markup`<p>${reasons.map((reason) => markup`${reason} `)}<a href="${details}">What failed</a></p>`
  return markup`<section class="verdict ${isGood ? 'good' : 'bad'}" role="status"><span class="sign" aria-hidden="true">${isGood ? '✓' : '✗'}</span>
<div><p class="headline">${headline}</p>${more}</div></section>
`
}
