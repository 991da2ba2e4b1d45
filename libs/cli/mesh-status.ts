import { readdir } from 'node:fs/promises'

import { findMeshProcesses, meshDirOf, meshesDir } from '#libs/lifecycle'
import type { Worker } from '#libs/proto'

import { failureOf } from './cli-error.js'
import { answerTimeoutMs, askScheduler, findMeshDir, readRunDir } from './mesh.js'
import { nameOfWorkerState } from './states.js'

/** A worker as `costate status` shows it. */
export interface WorkerStatus {
  readonly workerId: string
  readonly host: string
  readonly pid: number
  /** ready, draining, quarantined or paused. */
  readonly state: string
  readonly slots: number
  readonly assignedTasks: number
  readonly heldObjects: number
  /** What the objects have in memory, and on the worker's disk. */
  readonly heldBytes: number
  readonly spilledBytes: number
  readonly rssBytes: number
  /** The most since it was started; 0 when it does not say. */
  readonly peakRssBytes: number
  /** 0 for none. */
  readonly memoryLimitBytes: number
}

/** A mesh as `costate status` shows it. */
export interface MeshStatus {
  readonly name: string
  /** `ended`: only its folder is left. `unreachable`: it has processes, but its scheduler does not answer. */
  readonly state: 'running' | 'unreachable' | 'ended'
  readonly workers: readonly WorkerStatus[]
  readonly meshDir: string
  /** Where its traces and logs go. */
  readonly runDir?: string
  /** Why it does not answer. */
  readonly problem?: string
}

const pageSize = 1_000

/** The names of this user's meshes, sorted, those that ended without being taken down included. */
export async function listMeshNames(): Promise<string[]> {
  const entries = await readdir(meshesDir(), { withFileTypes: true }).catch(() => [])
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
  return names.filter(isMeshName).sort()
}

/** What can be learned of a mesh. One that does not answer is a status too. Throws when there is no such mesh. */
export async function readMeshStatus(name: string): Promise<MeshStatus> {
  const meshDir = findMeshDir(name)
  const runDir = await readRunDir(meshDir)
  const known = { name, meshDir, ...(runDir === undefined ? {} : { runDir }) }
  try {
    return { ...known, state: 'running', workers: await askForWorkers(name) }
  } catch (error) {
    const state = (await findMeshProcesses(meshDir)).length > 0 ? 'unreachable' : 'ended'
    return { ...known, state, workers: [], problem: failureOf(error).message }
  }
}

export async function askForWorkers(name: string): Promise<WorkerStatus[]> {
  return await askScheduler(name, async (scheduler) => {
    const workers: WorkerStatus[] = []
    let pageToken = ''
    do {
      const page = await scheduler.listWorkers({ pageSize, pageToken }, { deadline: answerTimeoutMs })
      workers.push(...page.workers.map(workerStatusOf))
      pageToken = page.nextPageToken
    } while (pageToken !== '')
    return workers
  })
}

export function workerStatusOf(worker: Worker): WorkerStatus {
  const { workerId, host, pid, slots, assignedTasks, heldObjects } = worker
  return {
    workerId,
    host,
    pid,
    state: nameOfWorkerState(worker.state),
    slots,
    assignedTasks,
    heldObjects,
    heldBytes: Number(worker.heldBytes),
    spilledBytes: Number(worker.spilledBytes),
    rssBytes: Number(worker.rssBytes),
    peakRssBytes: Number(worker.peakRssBytes ?? 0n),
    memoryLimitBytes: Number(worker.memoryLimitBytes),
  }
}

function isMeshName(name: string): boolean {
  try {
    return meshDirOf(name) !== ''
  } catch {
    return false
  }
}
