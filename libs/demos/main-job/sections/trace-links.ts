import { markup, type Markup } from '../../report/markup.js'
import type { ReportData } from '../report-data.js'

export function renderTraceLinks({ traceFiles, traceCommand }: ReportData): Markup {
  const links = traceFiles.map(
    ({ process, path }) => markup`<li>${process}: <a href="${linkTo(path)}"><code>${path}</code></a></li>`,
  )
  return markup`<section><h2>The trace</h2>
<p>The whole span tree, from the submit to the solver, prints with <code class="command">${traceCommand}</code></p>
${links.length === 0 ? markup`<p class="empty">No trace files were written beside this report.</p>` : markup`<ul class="files">${links}</ul>`}</section>
`
}

/** A link relative to the folder of the report: a file whose name looks like `javascript:` or `//host` stays a file. */
function linkTo(path: string): string {
  return `./${path
    .split('/')
    .filter((part) => part !== '')
    .map(encodePart)
    .join('/')}`
}

function encodePart(part: string): string {
  return encodeURIComponent(part.replace(/\p{Surrogate}/gu, '\ufffd'))
}
