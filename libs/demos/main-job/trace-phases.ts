import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { attribute, readRunSpans, type SpanRecord, stage } from '#libs/telemetry'
import type { ReportPhase, ReportTraceFile } from './report-data.js'

const traceFolder = 'traces'

/** In the order in which a task passes through them. */
const phases = [stage.submit, stage.queue, stage.dispatch, stage.fetch, stage.run, stage.store, stage.gather]

/** How long the tasks of a job were in which phase, from its trace. There are none when nothing was traced to the run folder. */
export async function readPhases(runDir: string, traceId: string, taskCount: number): Promise<ReportPhase[]> {
  return phasesOf(traceId === '' ? [] : await readRunSpans(runDir, { traceId }), taskCount)
}

/** Phases without spans are left out. What the job did once is spread evenly over its tasks: so shares can be compared. */
export function phasesOf(spans: readonly SpanRecord[], taskCount: number): ReportPhase[] {
  const durations = new Map<string, number[]>()
  const add = (name: string, spanMs: number): void => {
    const known = durations.get(name) ?? []
    known.push(Math.max(0, spanMs))
    durations.set(name, known)
  }
  for (const { name, startMs, endMs } of spans) {
    const phase = phases.find((known) => name === known || name.startsWith(`${known} `))
    if (phase !== undefined) add(phase, endMs - startMs)
  }
  for (const waitMs of dispatchTimes(spans)) add(stage.dispatch, waitMs)
  return phases.flatMap((name) => {
    const times = durations.get(name)
    if (times === undefined) return []
    const totalMs = times.reduce((sum, spanMs) => sum + spanMs, 0)
    const isOncePerJob = name === stage.submit || name === stage.gather
    return [{ name, medianMs: isOncePerJob ? totalMs / taskCount : medianOf(times), totalMs }]
  })
}

/** No process sees a whole dispatch: it lasts from the end of the queue, in the scheduler, to the first thing that the worker does. */
function dispatchTimes(spans: readonly SpanRecord[]): number[] {
  const queueEnds = new Map<string, number>()
  const firstStarts = new Map<string, number>()
  for (const { name, attributes, startMs, endMs } of spans) {
    const attempt = `${attributes[attribute.taskId]} ${attributes[attribute.taskAttempt]}`
    if (name === stage.queue) queueEnds.set(attempt, endMs)
    else if (name === stage.fetch || name.startsWith(`${stage.run} `)) {
      firstStarts.set(attempt, Math.min(startMs, firstStarts.get(attempt) ?? startMs))
    }
  }
  return [...queueEnds].flatMap(([attempt, endMs]) => {
    const startMs = firstStarts.get(attempt)
    return startMs === undefined ? [] : [startMs - endMs]
  })
}

/** The trace files that a run has written since then, one or more per process. */
export async function listTraceFiles(runDir: string, sinceMs: number): Promise<ReportTraceFile[]> {
  const names = await readdir(path.join(runDir, traceFolder)).catch(() => [])
  const written = await Promise.all(
    names.sort().map(async (name) => {
      const { mtimeMs } = await stat(path.join(runDir, traceFolder, name))
      return { process: name.split('.')[0]!, path: `${traceFolder}/${name}`, isOfThisRun: mtimeMs >= sinceMs }
    }),
  )
  return written.filter(({ isOfThisRun }) => isOfThisRun).map(({ process, path }) => ({ process, path }))
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  return (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2
}
