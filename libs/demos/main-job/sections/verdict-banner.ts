import { markup, nothing, type Markup } from '../markup.js'
import type { Verdict } from '../verdict.js'

export function renderVerdictBanner({ isGood, headline, reasons }: Verdict): Markup {
  const more =
    reasons.length === 0
      ? nothing
      : markup`<p>${reasons.map((reason) => markup`${reason} `)}<a href="#failures">What failed</a></p>`
  return markup`<section class="verdict ${isGood ? 'good' : 'bad'}" role="status"><span class="sign" aria-hidden="true">${isGood ? '✓' : '✗'}</span>
<div><p class="headline">${headline}</p>${more}</div></section>
`
}
