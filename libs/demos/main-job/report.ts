import { renderBoundedTrajectories } from './figures/bounded-trajectories.js'
import { renderCostCurve } from './figures/cost-curve.js'
import { renderErrorPlot } from './figures/error-plot.js'
import { renderNonlinearTrajectories } from './figures/nonlinear-trajectories.js'
import { renderTimeline } from './figures/timeline.js'
import { markup, trusted } from './markup.js'
import type { ReportData } from './report-data.js'
import { reportStyle } from './report-style.js'
import { renderFailures } from './sections/failures.js'
import { renderHeader } from './sections/header.js'
import { renderTiles } from './sections/tiles.js'
import { renderTimeSpent } from './sections/time-spent.js'
import { renderTraceLinks } from './sections/trace-links.js'
import { renderVerdictBanner } from './sections/verdict-banner.js'
import { renderWorstErrors } from './sections/worst-errors.js'
import { judgeRun } from './verdict.js'

/**
 * Renders a run as one self-contained HTML file: no script, no request to anywhere, light and dark, screen and paper.
 * It never throws on odd numbers: what is NaN, infinite or missing is drawn and listed as such.
 */
export function renderReport(data: ReportData): string {
  const verdict = judgeRun(data.tasks)
  const tasks = new Map(data.tasks.map((task) => [task.index, task]))
  return markup`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta name="color-scheme" content="light dark"/>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"/>
<link rel="icon" href="data:,"/>
<title>${verdict.isGood ? '✓' : '✗'} Costate run ${data.run.id}</title>
<style>${trusted(reportStyle)}</style>
</head>
<body>
<main>
${renderHeader(data)}
${renderVerdictBanner(verdict)}
${renderTiles(data)}
${renderFailures(data.tasks)}
${renderCostCurve(data.tasks)}
${renderBoundedTrajectories(tasks, data.trajectories)}
${renderNonlinearTrajectories(tasks, data.trajectories)}
${renderTimeline(data.workers, data.tasks, data.run.durationMs)}
${renderErrorPlot(data.tasks)}
${renderWorstErrors(data.tasks)}
${renderTimeSpent(data.phases)}
${renderTraceLinks(data)}
</main>
</body>
</html>
`.text
}
