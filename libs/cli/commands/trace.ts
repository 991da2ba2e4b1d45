import { existsSync } from 'node:fs'
import path from 'node:path'

import type { Command } from 'commander'

import { renderTraceTree, type SpanRecord, type TraceNode } from '#libs/telemetry'

import { CliError, exitCodes } from '../cli-error.js'
import { findJobTrace, type JobTrace, listRunDirs } from '../job-trace.js'
import { report } from '../report.js'
import type { Terminal } from '../terminal.js'

interface SpanJson extends SpanRecord {
  readonly children: readonly SpanJson[]
}

/** `costate trace`: where the time of a job went. */
export function addTrace(program: Command, terminal: Terminal): void {
  program
    .command('trace')
    .description('show where the time of a job went, as the tree of its spans')
    .argument('<job>', 'the id of the job')
    .option('--run <folder>', 'the run folder with the traces; the newest that knows the job unless given')
    .action(async (jobId: string, { run }: { run?: string }, command: Command) => {
      const trace = await findTrace(jobId, run)
      const { runDir, traceId, nodes } = trace
      const found = { jobId, traceId, runDir, spans: nodes.map(jsonOf) }
      report(terminal, command, found, () => renderTrace(trace, terminal))
    })
}

async function findTrace(jobId: string, run: string | undefined): Promise<JobTrace> {
  if (run !== undefined && !existsSync(run)) {
    throw new CliError(exitCodes.notFound, 'RUN_NOT_FOUND', `there is no run folder ${run}`)
  }
  const runDirs = run === undefined ? await listRunDirs(process.cwd()) : [path.resolve(run)]
  const trace = await findJobTrace(jobId, runDirs)
  if (trace) return trace
  const looked = run ?? `.costate/runs here (${runDirs.length} run folders, those of this user's meshes included)`
  const message =
    `no span of job ${jobId} is in ${looked}: give --run with the folder that the program wrote to. A job has no spans ` +
    'there that was submitted without a trace context, or with OTEL_EXPORTER_OTLP_ENDPOINT set'
  throw new CliError(exitCodes.notFound, 'TRACE_NOT_FOUND', message)
}

function renderTrace({ runDir, traceId, nodes }: JobTrace, { width, color }: Terminal): string {
  const tree = renderTraceTree(nodes, { width, color })
  return `${tree}\n\ntrace ${traceId} in ${path.relative('', runDir) || '.'}`
}

function jsonOf({ span, children }: TraceNode): SpanJson {
  return { ...span, children: children.map(jsonOf) }
}
