import { formatCount, formatDuration, formatPercent } from '../../report/format.js'
import { markup, nothing, type Markup } from '../../report/markup.js'
import type { ReportData } from '../report-data.js'
import { judgeRun } from '../verdict.js'
import { compareWarm, sumOfFamilies, type WarmFamily } from '../warm-figures.js'

/** What it saved to begin each problem from the solution of its nearest neighbour, against the sweep itself. */
export function renderWarmStarts({ tasks, warm }: ReportData): Markup {
  if (warm === undefined) return nothing
  const figures = compareWarm(tasks, warm.tasks)
  const { headline, reasons } = judgeRun(warm.tasks)
  const all = { problem: 'all', ...sumOfFamilies(figures) }
  return markup`<section id="warm-starts"><h2>Warm starts</h2>
<p>The same problems again, each from the solution of its nearest solved neighbour: first the ends of each family, then the middles between. ${headline} ${reasons.join(' ')}</p>
<div class="scroll" tabindex="0"><table><thead><tr><th>family</th><th class="number">problems</th><th class="number">iterations, cold</th><th class="number">warm</th><th class="number">saved</th><th class="number">solving, cold</th><th class="number">warm</th></tr></thead>
<tbody>${[...figures.families, all].map(renderFamily)}</tbody></table></div>
<p>Of the ${formatCount(figures.tasks)} problems the ${formatCount(figures.solved)} count that were solved both times. Bryson–Denham is a convex quadratic program, which takes one iteration per mesh from anywhere: there is nothing to save. The oscillators begin cold from random guesses; warm, all but the first of a horizon begin from a solution of the same problem, which is as near as a neighbour can be.</p></section>
`
}

function renderFamily(family: Omit<WarmFamily, 'problem'> & { readonly problem: string }): Markup {
  const { problem, tasks, coldIterations, warmIterations, coldMs, warmMs } = family
  const saved = formatPercent(1 - warmIterations / coldIterations)
  const cells = [formatCount(tasks), formatCount(coldIterations), formatCount(warmIterations), saved]
  const numbers = [...cells, formatDuration(coldMs), formatDuration(warmMs)]
  return markup`<tr><th scope="row">${problem}</th>${numbers.map((text) => markup`<td class="number">${text}</td>`)}</tr>`
}
