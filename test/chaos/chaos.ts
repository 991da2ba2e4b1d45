import { mkdir, readFile } from 'node:fs/promises'
import path from 'node:path'

import { type LocalMesh, startLocalMesh } from '../harness/local-mesh.js'
import { compareFootprints, describeFootprint, type Footprint, footprintOf, processesOf } from './footprint.js'
import { readMarks } from './marks.js'
import type { Settings } from './settings.js'
import { schedulerPid, Storm } from './storm.js'
import { meet, visit } from './tasks.mjs'
import { judge } from './verdict.js'

/** How a storm went. */
export interface ChaosReport {
  /** What was promised and did not come true; empty when all is well. */
  readonly complaints: readonly string[]
  /** Figures, for people. */
  readonly figures: readonly string[]
  readonly schedulerKills: number
  readonly workerKills: number
  readonly clientKills: number
  readonly adopted: number
}

const workers = 2
const threadsPerWorker = 2
const warmUpTasks = 400

/** A job on a mesh of real processes, of which the scheduler, workers and clients are killed again and again. */
export async function runChaos(settings: Settings, onProgress: (line: string) => void): Promise<ChaosReport> {
  const startedAtMs = Date.now()
  const name = `chaos-${process.pid}`
  const mesh = await startLocalMesh({ workers, threadsPerWorker, name })
  const folder = path.join(mesh.userDir, 'marks')
  await mkdir(folder)
  let report: ChaosReport
  try {
    await warmUp(mesh)
    const before = await footprintsOf(mesh)
    const storm = new Storm(mesh, folder, settings)
    await storm.run(() => onProgress(progressOf(storm, settings, startedAtMs)))
    const jobId = await storm.clients[0]?.jobId
    await storm.hearAgain(jobId ?? '')
    const verdict = judge({
      tasks: settings.tasks,
      runs: readMarks(await readFile(path.join(folder, 'marks'), 'utf8')),
      heard: storm.clients.map(({ heard }) => heard),
      killedAtMs: storm.kills.map(({ atMs }) => atMs),
      killedWorkers: storm.killedWorkers,
    })
    const left = await checkLeft(mesh, before)
    report = {
      complaints: [...verdict.complaints, ...left.complaints],
      figures: [
        `${storm.settled} tasks in ${seconds(Date.now() - startedAtMs)} s; ${verdict.adopted} runs went on through a death of the scheduler, ${verdict.runAgain} tasks were run again because their worker was killed`,
        ...recoveryTimes(storm),
        ...left.figures,
      ],
      schedulerKills: storm.kills.length,
      workerKills: storm.killedWorkers.size,
      clientKills: storm.clients.filter(({ wasKilled }) => wasKilled).length,
      adopted: verdict.adopted,
    }
  } finally {
    await mesh.close()
  }
  const orphans = await processesOf(mesh.runDir)
  return { ...report, complaints: [...report.complaints, ...orphans.map((pid) => `process ${pid} was left behind`)] }
}

/** Every part has done its work once before it is measured. */
async function warmUp(mesh: LocalMesh): Promise<void> {
  const folder = path.join(mesh.userDir, 'warm-up')
  await mkdir(folder)
  const indices = Array.from({ length: warmUpTasks }, (_, index) => index)
  const futures = mesh.cluster.map(
    visit,
    indices.map(() => folder),
    indices,
    indices.map(() => 0),
  )
  await mesh.cluster.gather(futures)
  for (const future of futures.slice(0, 1)) future.job.release()
}

/** What is there before and after: the scheduler, the program that owns it, and the workers, by their names. */
async function footprintsOf(mesh: LocalMesh): Promise<Map<string, Footprint>> {
  const found = new Map([
    ['the scheduler', await footprintOf(await schedulerPid(mesh))],
    ['the owner', await footprintOf(process.pid)],
  ])
  const pids = (await mesh.cluster.workers()).map(({ pid }) => pid).sort((a, b) => a - b)
  for (const [index, pid] of pids.entries()) found.set(`worker ${index + 1}`, await footprintOf(pid))
  return found
}

/** Slots, workers, open files and memory are back where they were. */
async function checkLeft(
  mesh: LocalMesh,
  before: ReadonlyMap<string, Footprint>,
): Promise<{ readonly complaints: string[]; readonly figures: string[] }> {
  const { cluster } = mesh
  const complaints: string[] = []
  await cluster.waitForWorkers(workers)
  const folder = path.join(mesh.userDir, 'meeting')
  await mkdir(folder)
  const slots = Array.from({ length: workers * threadsPerWorker }, (_, index) => index)
  const met = cluster.map(
    meet,
    slots.map(() => folder),
    slots,
    slots.map(() => slots.length),
  )
  await cluster.gather(met)
  met[0]?.job.release()
  const known = await cluster.workers()
  if (known.length !== workers) complaints.push(`${known.length} workers are linked, not ${workers}`)
  for (const { id, assignedTasks, heldObjects } of known) {
    if (assignedTasks > 0) complaints.push(`${id} still has ${assignedTasks} tasks`)
    if (heldObjects > 0) complaints.push(`${id} still holds ${heldObjects} objects`)
  }
  const after = await footprintsOf(mesh)
  const figures: string[] = []
  for (const [name, was] of before) {
    const is = after.get(name)
    if (is === undefined) continue
    complaints.push(...compareFootprints(name, was, is))
    figures.push(`${name}: ${describeFootprint(was)} before, ${describeFootprint(is)} after`)
  }
  const processes = await processesOf(mesh.runDir)
  figures.push(`${processes.length} processes of the mesh`)
  return { complaints, figures }
}

/** How long it took from each death of the scheduler until the next settle was heard. */
function recoveryTimes({ kills }: Storm): string[] {
  const toServe = kills.map(({ atMs, servedAtMs }) => servedAtMs - atMs).sort((a, b) => a - b)
  const toSettle = kills
    .flatMap(({ atMs, settledAtMs }) => (settledAtMs === undefined ? [] : settledAtMs - atMs))
    .sort((a, b) => a - b)
  return [
    `from a death of the scheduler until another serves: ${spreadOf(toServe)}`,
    `until the next settle is heard: ${spreadOf(toSettle)}`,
  ]
}

function spreadOf(sorted: readonly number[]): string {
  const at = (share: number): string => `${sorted[Math.floor(share * (sorted.length - 1))] ?? '-'} ms`
  return `median ${at(0.5)}, 90 % within ${at(0.9)}, at most ${at(1)} (${sorted.length} times)`
}

function progressOf(
  { settled, kills, killedWorkers, clients }: Storm,
  settings: Settings,
  startedAtMs: number,
): string {
  const clientKills = clients.filter(({ wasKilled }) => wasKilled).length
  return `${seconds(Date.now() - startedAtMs)} s: ${settled}/${settings.tasks} settled; killed ${kills.length}/${settings.kills} schedulers, ${killedWorkers.size}/${settings.workerKills} workers, ${clientKills}/${settings.clientKills} clients`
}

function seconds(ms: number): number {
  return Math.round(ms / 1_000)
}
