import { formatDate, formatDuration } from '../report/format.js'
import { machineFacts, renderHeader } from '../report/header.js'
import type { Machine, Versions } from '../report/machine.js'
import { markup, type Markup } from '../report/markup.js'
import { renderPage } from '../report/page.js'
import { renderTiles, type Tile } from '../report/tiles.js'
import { renderVerdictBanner, type Verdict } from '../report/verdict-banner.js'
import type { Check } from './check.js'
import { formatAnswer } from './judgement.js'

/** Everything that the report of a demo is drawn from. */
export interface DemoReport {
  readonly name: string
  readonly title: string
  readonly summary: string
  readonly source: string
  readonly startedAt: string
  readonly command: string
  /** Where it ran, for people. */
  readonly place: string
  readonly durationMs: number
  readonly machine: Machine
  readonly versions: Versions
  readonly verdict: Verdict
  readonly checks: readonly Check[]
  readonly tiles: readonly Tile[]
  readonly pictures: readonly Markup[]
}

export function renderDemoReport(report: DemoReport): string {
  const { name, title, verdict, checks, tiles, pictures } = report
  return renderPage(`${verdict.isGood ? '✓' : '✗'} Costate demo ${name}`, [
    renderHeader(title, [
      ['date', markup`<time datetime="${report.startedAt}">${formatDate(report.startedAt)}</time>`],
      ['command', markup`<code>${report.command}</code>`],
      ['ran on', markup`${report.place}, in ${formatDuration(report.durationMs)}`],
      ['program', markup`<code>${report.source}</code>`],
      ...machineFacts(report.machine, report.versions),
    ]),
    renderVerdictBanner(verdict, '#checks'),
    markup`<section><h2>What it shows</h2><p>${report.summary}</p></section>`,
    renderTiles(tiles),
    ...pictures,
    renderChecks(checks),
  ])
}

function renderChecks(checks: readonly Check[]): Markup {
  const rows = checks.map(
    ({ what, ours, reference, allowed, source, isRight }) => markup`<tr class="${isRight ? '' : 'wrong-row'}">
<th scope="row">${isRight ? '✓' : '✗'} ${what}</th><td class="number">${formatAnswer(ours)}</td>
<td class="number">${formatAnswer(reference)}</td><td>${allowed}</td><td class="source">${source}</td></tr>
`,
  )
  return markup`<section id="checks"><h2>Against the references</h2>
<p>Every answer of this run beside its reference, and where that comes from.</p>
<div class="scroll" tabindex="0"><table><thead><tr><th>what</th><th class="number">ours</th><th class="number">reference</th><th>allowed</th><th>source</th></tr></thead>
<tbody>${rows}</tbody></table></div></section>`
}
