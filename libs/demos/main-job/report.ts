import { renderPage } from '../report/page.js'
import { renderTiles } from '../report/tiles.js'
import { renderVerdictBanner } from '../report/verdict-banner.js'
import { renderBoundedTrajectories } from './figures/bounded-trajectories.js'
import { renderCostCurve } from './figures/cost-curve.js'
import { renderErrorPlot } from './figures/error-plot.js'
import { renderNonlinearTrajectories } from './figures/nonlinear-trajectories.js'
import { renderTimeline } from './figures/timeline.js'
import type { ReportData } from './report-data.js'
import { listTiles } from './run-figures.js'
import { renderFailures } from './sections/failures.js'
import { renderProfile } from './sections/profile.js'
import { renderRunHeader } from './sections/run-header.js'
import { renderTimeSpent } from './sections/time-spent.js'
import { renderTraceLinks } from './sections/trace-links.js'
import { renderWarmStarts } from './sections/warm-starts.js'
import { renderWorstErrors } from './sections/worst-errors.js'
import { judgeRun } from './verdict.js'

/**
 * Renders a run as one self-contained HTML file.
 * It never throws on odd numbers: what is NaN, infinite or missing is drawn and listed as such.
 */
export function renderReport(data: ReportData): string {
  const verdict = judgeRun(data.tasks)
  const tasks = new Map(data.tasks.map((task) => [task.index, task]))
  return renderPage(`${verdict.isGood ? '✓' : '✗'} Costate run ${data.run.id}`, [
    renderRunHeader(data),
    renderVerdictBanner(verdict, '#failures'),
    renderTiles(listTiles(data)),
    renderFailures(data.tasks),
    renderCostCurve(data.tasks),
    renderBoundedTrajectories(tasks, data.trajectories),
    renderNonlinearTrajectories(tasks, data.trajectories),
    renderTimeline(data.workers, data.tasks, data.run.durationMs),
    renderErrorPlot(data.tasks),
    renderWorstErrors(data.tasks),
    renderTimeSpent(data.phases),
    renderWarmStarts(data),
    renderProfile(data.profile),
    renderTraceLinks(data),
  ])
}
