import { formatDate } from '../../report/format.js'
import { machineFacts, renderHeader } from '../../report/header.js'
import { markup, type Markup } from '../../report/markup.js'
import type { ReportData } from '../report-data.js'

export function renderRunHeader({ run, machine, versions, jobId, traceId }: ReportData): Markup {
  return renderHeader('Parallel optimal-control sweep', [
    ['run', markup`<code>${run.id}</code>`],
    ['date', markup`<time datetime="${run.startedAt}">${formatDate(run.startedAt)}</time>`],
    ['command', markup`<code>${run.command}</code>`],
    ...machineFacts(machine, versions),
    ['job', markup`<code>${jobId}</code>`],
    ['trace', markup`<code>${traceId}</code>`],
  ])
}
