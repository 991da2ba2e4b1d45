import { flameGraph, type CriticalStep, type JobProfile, type ProfilePhase, type ProfileWorker } from 'costate'
import {
  formatCount,
  formatDuration,
  formatFactor,
  formatNumber,
  formatPercent,
  formatPlural,
} from '../../report/format.js'
import { markup, nothing, trusted, type Markup } from '../../report/markup.js'

const stepsMax = 10

/** What the cluster says of the job: its phases, its speed-up, its workers and its critical path. */
export function renderProfile(profile: JobProfile | undefined): Markup {
  if (profile === undefined) return nothing
  const { phases, workers, criticalPath, wallMs, speedUp, efficiency, slots, parallelism, cpu, notes } = profile
  const path =
    criticalPath.stepCount === 0
      ? nothing
      : markup`<h3>Critical path</h3>
<p>${formatDuration(criticalPath.lengthMs)} over ${formatPlural(criticalPath.stepCount, 'task')}, ${formatPercent(criticalPath.lengthMs / wallMs)} of the wall time: with any number of workers the job is at most ${formatFactor(parallelism)} times as fast as on one.</p>
${table(['task', 'name', '#compute', '#transfer', '#waited before'], criticalPath.steps.slice(-stepsMax).map(renderStep))}`
  return markup`<section id="profile"><h2>The job, profiled</h2>
<p>Of every task, as the scheduler knows it. All computing together took ${formatDuration(profile.computeMs)}, which is what one worker would need, and the job ${formatDuration(wallMs)}: ${formatNumber(speedUp, 3)} times as fast, ${formatPercent(efficiency)} of ${formatPlural(slots, 'slot')}.</p>
${table(['phase', '#median', '#longest', '#all tasks'], phases.map(renderPhase))}
<h3>Workers</h3>
${table(['worker', '#tasks', '#computing', '#busy', '#results', '#memory', '#at most'], workers.map(renderWorker))}
${path}
${cpu === undefined ? nothing : markup`<h3>Flame graph of user code</h3><p>Where the processor time of all tasks went, by function; what a function calls stands below it. Point at a box for its place and share.</p>${trusted(flameGraph(cpu))}`}
${notes.map((note) => markup`<p>${note}</p>`)}</section>
`
}

/** Titles with # are those of numbers. */
function table(titles: readonly string[], rows: readonly Markup[]): Markup {
  const heads = titles.map((title) =>
    title.startsWith('#') ? markup`<th class="number">${title.slice(1)}</th>` : markup`<th>${title}</th>`,
  )
  return markup`<div class="scroll" tabindex="0"><table><thead><tr>${heads}</tr></thead><tbody>${rows}</tbody></table></div>`
}

function renderPhase({ name, medianMs, maxMs, totalMs }: ProfilePhase): Markup {
  const numbers = [medianMs, maxMs, totalMs].map((ms) => number(formatDuration(ms)))
  return markup`<tr><th scope="row">${name}</th>${numbers}</tr>`
}

function renderWorker({ workerId, tasks, computeMs, busyShare, resultBytes, memory }: ProfileWorker): Markup {
  const shown = [formatCount(tasks), formatDuration(computeMs), formatPercent(busyShare), formatMegabytes(resultBytes)]
  const memories = [memory?.rssBytes, memory?.peakRssBytes].map((bytes) => (bytes ? formatMegabytes(bytes) : '–'))
  return markup`<tr><th scope="row">${workerId}</th>${[...shown, ...memories].map(number)}</tr>`
}

function renderStep({ taskId, name, computeMs, transferMs, waitMs }: CriticalStep): Markup {
  const numbers = [computeMs, transferMs, waitMs].map((ms) => number(formatDuration(ms)))
  return markup`<tr><th scope="row">${taskId}</th><td>${name}</td>${numbers}</tr>`
}

function number(text: string): Markup {
  return markup`<td class="number">${text}</td>`
}

function formatMegabytes(bytes: number): string {
  return `${formatNumber(bytes / 1e6, 3)} MB`
}
