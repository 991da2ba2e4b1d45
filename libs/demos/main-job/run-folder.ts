import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { ReportData } from './report-data.js'
import { renderReport } from './report.js'
import { measureRun } from './run-figures.js'
import { judgeRun } from './verdict.js'

export interface RunFolder {
  readonly id: string
  /** Absolute. */
  readonly path: string
}

const ownRuns = path.join('.costate', 'runs')

/** Makes the folder of a run: the given one, or `.costate/runs/<id>` in the working folder. */
export async function createRunFolder(startedAt: Date, out?: string): Promise<RunFolder> {
  const id = `${startedAt.toISOString().replaceAll(/[-:]|\.\d+/g, '')}-main-job-${process.pid}`
  const folder = path.resolve(out ?? path.join(ownRuns, id))
  await mkdir(folder, { recursive: true })
  return { id, path: folder }
}

/** The command that prints a job's spans; it finds run folders in `.costate/runs` by itself. */
export function traceCommandOf(folder: RunFolder, jobId: string): string {
  if (path.dirname(folder.path) === path.resolve(ownRuns)) return `npx costate trace ${jobId}`
  return `npx costate trace ${jobId} --run ${folder.path}`
}

/** Writes `report.html`, for people, and `results.json`, for programs, and gives their paths. */
export async function writeRun(folder: RunFolder, data: ReportData): Promise<{ report: string; results: string }> {
  const report = path.join(folder.path, 'report.html')
  const results = path.join(folder.path, 'results.json')
  await writeFile(report, renderReport(data))
  await writeFile(results, renderResults(data))
  return { report, results }
}

/** Everything but the trajectories, with the verdict; numbers that do not exist are null. */
export function renderResults(data: ReportData): string {
  const { trajectories: _drawnOnly, ...rest } = data
  return `${JSON.stringify({ verdict: judgeRun(data.tasks), figures: measureRun(data), ...rest }, null, 1)}\n`
}
