import { formatDuration, formatPercent } from '../../report/format.js'
import { markup, nothing, type Markup } from '../../report/markup.js'
import type { ReportPhase } from '../report-data.js'

const phaseStyles = 6
const waitingPhase = 'queue'

interface StyledPhase extends ReportPhase {
  readonly style: string
  /** Of the sum of all medians, in 0..1. */
  readonly share: number
}

/**
 * How a typical task spent its life, from the spans of the trace. In a sweep that is submitted at once most of it is
 * waiting for a free slot, so a second bar leaves that out: it shows what the mesh adds to the work itself.
 */
export function renderTimeSpent(phases: readonly ReportPhase[]): Markup {
  const sum = phases.reduce((total, { medianMs }) => total + drawable(medianMs), 0)
  const styled = phases.map((phase, i) => ({
    ...phase,
    share: sum > 0 ? drawable(phase.medianMs) / sum : 0,
    style: phase.name === waitingPhase ? 'phase-wait' : `phase-${Math.min(i, phaseStyles - 1)}`,
  }))
  const active = styled.filter(({ name }) => name !== waitingPhase)
  const bars = markup`${drawBar('a whole life', styled)}${active.length < styled.length ? drawBar('without the queue', active) : nothing}`
  const table = markup`<div class="scroll" tabindex="0"><table class="phases">
<thead><tr><th>phase</th><th class="number">median</th><th class="number">share</th><th class="number">all tasks</th></tr></thead>
<tbody>${styled.map(renderRow)}</tbody></table></div>`
  return markup`<section><h2>Where the time went</h2>
<p>The median time of a task in each phase, from the trace; what a job does once (submit, gather) is spread over its tasks. Waiting for a free slot is hatched.</p>
${phases.length === 0 ? markup`<p class="empty">This run has no trace.</p>` : markup`${bars}${table}`}</section>
`
}

function drawBar(name: string, phases: readonly StyledPhase[]): Markup {
  const sum = phases.reduce((total, { share }) => total + share, 0)
  const pieces = phases.map((phase) => {
    const grow = String(sum > 0 ? (phase.share / sum) * 100 : 0)
    return markup`<div class="${phase.style}" style="flex-grow:${grow}" title="${phase.name}: ${formatDuration(phase.medianMs)}"></div>`
  })
  return markup`<p class="bar-name">${name}</p><div class="spent" role="img" aria-label="Median time per phase, ${name}">${pieces}</div>
`
}

function renderRow({ name, medianMs, totalMs, share, style }: StyledPhase): Markup {
  return markup`<tr><th scope="row"><span class="swatch ${style}"></span>${name}</th><td class="number">${formatDuration(medianMs)}</td>
<td class="number">${formatPercent(share)}</td><td class="number">${formatDuration(totalMs)}</td></tr>
`
}

/** Negative, infinite or missing times have no length. */
function drawable(spanMs: number): number {
  return spanMs > 0 && spanMs < 1e100 ? spanMs : 0
}
