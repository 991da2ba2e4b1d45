import { formatDigits, formatError, formatFactor } from '../../report/format.js'
import { markup, type Markup } from '../../report/markup.js'
import { describeTask } from '../problem-text.js'
import type { ReportTask } from '../report-data.js'
import { outcomeOf } from '../verdict.js'

const rowsMax = 10

/** The answers nearest to (or furthest beyond) what they are allowed. Tasks without a number stand under "What failed". */
export function renderWorstErrors(tasks: readonly ReportTask[]): Markup {
  const answers = tasks.filter((task) => outcomeOf(task) !== 'missing')
  const sorted = answers.sort((a, b) => allowanceUsed(b) - allowanceUsed(a) || a.index - b.index)
  // Guesses that lead to the same solution would fill the table with one error.
  const shown = new Set<number>()
  const worst = sorted.filter(({ published }) => !shown.has(published) && shown.add(published)).slice(0, rowsMax)
  const table = markup`<div class="scroll" tabindex="0"><table>
<thead><tr><th>task</th><th class="number">error</th><th class="number">÷ allowed</th><th class="number">ours</th><th class="number">published</th><th>source</th></tr></thead>
<tbody>${worst.map(renderRow)}</tbody></table></div>`
  return markup`<section><h2>${worst.length < rowsMax ? 'Largest errors' : 'The ten largest errors'}</h2>
<p>Ordered by how much of its tolerance an answer uses up; of the answers that one published value belongs to, the worst.</p>
${worst.length === 0 ? markup`<p class="empty">This run has no answers.</p>` : table}</section>
`
}

function renderRow(task: ReportTask): Markup {
  const style = outcomeOf(task) === 'right' ? '' : 'wrong-row'
  return markup`<tr class="${style}"><th scope="row">${describeTask(task)}</th>
<td class="number">${formatError(task.relativeError)}</td><td class="number">${formatFactor(allowanceUsed(task))}</td>
<td class="number">${formatDigits(task.objective, 10)}</td><td class="number">${formatDigits(task.published, 10)}</td>
<td class="source">${task.publishedSource}</td></tr>
`
}

/** Error ÷ tolerance; an error that is no number is worse than any. */
function allowanceUsed({ relativeError, relativeTolerance }: ReportTask): number {
  const used = relativeError / relativeTolerance
  return Number.isNaN(used) ? (relativeError === 0 ? 0 : Number.POSITIVE_INFINITY) : used
}
