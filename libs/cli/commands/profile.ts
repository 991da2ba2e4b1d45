import { writeFile } from 'node:fs/promises'

import type { Command } from 'commander'

import { connect } from '#libs/client'
import {
  type CpuSamples,
  type JobProfile,
  profileJob,
  readFamily,
  readSamples,
  renderFlameGraph,
  toSpeedscope,
} from '#libs/profile'
import { type SpanRecord, stage } from '#libs/telemetry'

import { CliError, exitCodes } from '../cli-error.js'
import { findJobTrace, listRunDirs } from '../job-trace.js'
import { askScheduler } from '../mesh.js'
import { chooseMesh } from '../mesh-choice.js'
import { askForWorkers } from '../mesh-status.js'
import { renderProfile } from '../profile-view.js'
import { isJson, report } from '../report.js'
import type { Terminal } from '../terminal.js'

interface Options {
  readonly mesh?: string
  readonly run?: string
  readonly flameGraph?: string
  readonly speedscope?: string
}

/** `costate profile`: the phases of a job, its speed-up, its workers and its critical path. */
export function addProfile(program: Command, terminal: Terminal): void {
  program
    .command('profile')
    .description('show where the time of a job went: phases, speed-up, workers with their memory, critical path')
    .argument('<job>', 'the id of the job, or the name that it is pinned under')
    .option('--mesh <name>', "the mesh, or its scheduler's address; the one that runs unless given")
    .option('--run <folder>', 'the run folder with the traces, which know of the gather; found by itself unless given')
    .option('--flame-graph <file.svg>', "draws where the processor time went, of a job submitted with profile: 'cpu'")
    .option('--speedscope <file.json>', 'writes the same for the viewer speedscope')
    .action(async (job: string, options: Options, command: Command) => {
      const profile = await readProfile(
        await chooseMesh(options.mesh),
        job,
        options.run,
        isJson(command) || wantsSamples(options),
      )
      await writeSamples(profile, options)
      report(terminal, command, profile, () => renderProfile(profile, terminal))
    })
}

async function readProfile(
  mesh: string,
  job: string,
  run: string | undefined,
  withSamples: boolean,
): Promise<JobProfile> {
  const { jobs, omitted } = await askScheduler(mesh, (scheduler) => readFamily(scheduler, job))
  const [{ jobId, settledAtMs }] = jobs
  const workers = await askForWorkers(mesh)
  const cpu = withSamples
    ? await loadSamples(
        mesh,
        jobs.map((each) => each.jobId),
      )
    : undefined
  return profileJob(jobs, {
    workers: workers.map(({ workerId, ...facts }) => ({ ...facts, id: workerId })),
    gatherMs: settledAtMs === undefined ? undefined : await readGatherMs(jobId, settledAtMs, run),
    nowMs: Date.now(),
    cpu,
    notes: omitted > 0 ? [`${omitted} jobs that its tasks submitted are forgotten or too many, and do not count`] : [],
  })
}

function wantsSamples({ flameGraph, speedscope }: Options): boolean {
  return flameGraph !== undefined || speedscope !== undefined
}

async function loadSamples(mesh: string, jobIds: readonly string[]): Promise<CpuSamples | undefined> {
  const cluster = await connect(mesh)
  try {
    return await readSamples(cluster.checkpoints, jobIds)
  } finally {
    await cluster.close()
  }
}

async function writeSamples({ jobId, name, cpu }: JobProfile, { flameGraph, speedscope }: Options): Promise<void> {
  if (flameGraph === undefined && speedscope === undefined) return
  if (cpu === undefined) {
    const message = `nothing was sampled of job ${jobId}: submit it with cluster.with({ profile: 'cpu' })`
    throw new CliError(exitCodes.notFound, 'NOT_SAMPLED', message)
  }
  if (flameGraph !== undefined) await writeFile(flameGraph, renderFlameGraph(cpu))
  if (speedscope !== undefined) await writeFile(speedscope, JSON.stringify(toSpeedscope(cpu, name)))
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
