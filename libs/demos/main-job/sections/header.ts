import { formatDate, formatGibibytes, formatPlural } from '../format.js'
import { markup, type Markup } from '../markup.js'
import type { ReportData } from '../report-data.js'

export function renderHeader({ run, machine, versions, jobId, traceId }: ReportData): Markup {
  const facts: readonly (readonly [string, Markup])[] = [
    ['run', markup`<code>${run.id}</code>`],
    ['date', markup`<time datetime="${run.startedAt}">${formatDate(run.startedAt)}</time>`],
    ['command', markup`<code>${run.command}</code>`],
    [
      'machine',
      markup`${machine.cpuModel}, ${formatPlural(machine.cores, 'core')}, ${formatGibibytes(machine.memoryBytes)}, ${machine.os}`,
    ],
    [
      'versions',
      markup`${Object.entries(versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(' · ')}`,
    ],
    ['job', markup`<code>${jobId}</code>`],
    ['trace', markup`<code>${traceId}</code>`],
  ]
  return markup`<header><p class="brand">Costate</p>
<h1>Parallel optimal-control sweep</h1>
<dl class="facts">${facts.map(([name, value]) => markup`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl></header>
`
}
