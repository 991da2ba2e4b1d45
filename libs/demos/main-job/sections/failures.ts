import { formatDigits, formatError, formatPlural, formatRanges } from '../../report/format.js'
import { markup, nothing, type Markup } from '../../report/markup.js'
import { describeTask } from '../problem-text.js'
import type { ReportTask } from '../report-data.js'
import { outcomeOf } from '../verdict.js'

/** Everything that has no right answer, none left out; like failures are told once, with all their tasks. */
export function renderFailures(tasks: readonly ReportTask[]): Markup {
  const missing = tasks.filter((task) => outcomeOf(task) === 'missing')
  const wrong = tasks.filter((task) => outcomeOf(task) === 'wrong')
  if (missing.length + wrong.length === 0) return nothing
  const groups = [...groupByCause(missing).values()]
  return markup`<section id="failures"><h2>What failed</h2>
${groups.map(renderGroup)}${wrong.length > 0 ? renderWrong(wrong) : nothing}</section>
`
}

function groupByCause(tasks: readonly ReportTask[]): Map<string, ReportTask[]> {
  const groups = new Map<string, ReportTask[]>()
  for (const task of tasks) {
    const key = JSON.stringify([task.status, task.failure?.kind, task.failure?.message])
    groups.set(key, [...(groups.get(key) ?? []), task])
  }
  return groups
}

function renderGroup(tasks: readonly ReportTask[]): Markup {
  const first = tasks[0]!
  const kind = first.failure?.kind ?? (first.status === 'finished' ? 'no finite objective' : first.status)
  const message = first.failure?.message ?? ''
  const which =
    tasks.length === 1
      ? describeTask(first)
      : `${formatPlural(tasks.length, 'task')}: #${formatRanges(tasks.map(({ index }) => index))}`
  return markup`<article class="failure"><h3><span class="kind">${kind}</span> ${which}</h3>
${message === '' ? nothing : markup`<pre tabindex="0">${message}</pre>`}</article>
`
}

function renderWrong(tasks: readonly ReportTask[]): Markup {
  const rows = tasks.map(
    (task) => markup`<tr><th scope="row">${describeTask(task)}</th>
<td class="number">${formatError(task.relativeError)}</td><td class="number">${formatError(task.relativeTolerance)}</td>
<td class="number">${formatDigits(task.objective, 10)}</td><td class="number">${formatDigits(task.published, 10)}</td></tr>
`,
  )
  return markup`<article class="failure"><h3><span class="kind">outside tolerance</span> ${formatPlural(tasks.length, 'answer')}</h3>
<div class="scroll" tabindex="0"><table><thead><tr><th>task</th><th class="number">error</th><th class="number">allowed</th><th class="number">ours</th><th class="number">published</th></tr></thead>
<tbody>${rows}</tbody></table></div></article>
`
}
