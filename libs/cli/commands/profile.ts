import type { Command } from 'commander'

import { type JobProfile, profileJob, readFamily } from '#libs/profile'
import type { SpanRecord } from '#libs/telemetry'
import { stage } from '#libs/telemetry'

import { findJobTrace, listRunDirs } from '../job-trace.js'
import { askScheduler } from '../mesh.js'
import { chooseMesh } from '../mesh-choice.js'
import { askForWorkers } from '../mesh-status.js'
import { renderProfile } from '../profile-view.js'
import { report } from '../report.js'
import type { Terminal } from '../terminal.js'

interface Options {
  readonly mesh?: string
  readonly run?: string
}

/** `costate profile`: the phases of a job, its speed-up, its workers and its critical path. */
export function addProfile(program: Command, terminal: Terminal): void {
  program
    .command('profile')
    .description('show where the time of a job went: phases, speed-up, workers with their memory, critical path')
    .argument('<job>', 'the id of the job, or the name that it is pinned under')
    .option('--mesh <name>', "the mesh, or its scheduler's address; the one that runs unless given")
    .option('--run <folder>', 'the run folder with the traces, which know of the gather; found by itself unless given')
    .action(async (job: string, options: Options, command: Command) => {
      const profile = await readProfile(await chooseMesh(options.mesh), job, options.run)
      report(terminal, command, profile, () => renderProfile(profile, terminal))
    })
}

async function readProfile(mesh: string, job: string, run: string | undefined): Promise<JobProfile> {
  const { jobs, omitted } = await askScheduler(mesh, (scheduler) => readFamily(scheduler, job))
  const [{ jobId, settledAtMs }] = jobs
  const workers = await askForWorkers(mesh)
  return profileJob(jobs, {
    workers: workers.map(({ workerId, ...facts }) => ({ ...facts, id: workerId })),
    gatherMs: settledAtMs === undefined ? undefined : await readGatherMs(jobId, settledAtMs, run),
    nowMs: Date.now(),
    notes: omitted > 0 ? [`${omitted} jobs that its tasks submitted are forgotten or too many, and do not count`] : [],
  })
}

/** How long gathers took after the last settle, as the trace of the program that gathered says. */
async function readGatherMs(jobId: string, settledAtMs: number, run: string | undefined): Promise<number | undefined> {
  const trace = await findJobTrace(jobId, run === undefined ? await listRunDirs(process.cwd()) : [run])
  const gathers = [...(trace?.nodes ?? [])].flatMap((node) => gathersIn(node))
  if (gathers.length === 0) return undefined
  return gathers.reduce((sum, { startMs, endMs }) => sum + Math.max(0, endMs - Math.max(startMs, settledAtMs)), 0)
}

interface Node {
  readonly span: SpanRecord
  readonly children: readonly Node[]
}

function gathersIn({ span, children }: Node): SpanRecord[] {
  return [...(span.name === stage.gather ? [span] : []), ...children.flatMap(gathersIn)]
}
