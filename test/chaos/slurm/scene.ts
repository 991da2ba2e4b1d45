import { mkdir, readFile } from 'node:fs/promises'
import path from 'node:path'

import { type CommandLog, logCommands } from '../../harness/slurm/command-log.js'
import type { ClusterShape } from '../../harness/slurm/configuration.js'
import { isAlive, type JobRow } from '../../harness/slurm/job-table.js'
import { type SlurmLab, startSlurmLab } from '../../harness/slurm/slurm-lab.js'
import { type PoolSettings, type SlurmMesh, startSlurmMesh } from '../../harness/slurm/slurm-mesh.js'
import { type Tasks, tasksSource } from '../../harness/slurm/user-tasks.js'
import { until } from './until.js'

/** Something that goes wrong, and what must be true all the same. */
export interface Scenario {
  readonly name: string
  /** For people: what happens. */
  readonly what: string
  /** @returns figures for people. @throws Error when a promise was broken. */
  run(): Promise<readonly string[]>
}

/** A step of a descent, as it was written down. */
export interface Step {
  readonly step: number
  readonly pid: number
  readonly attempt: number
}

/** A mesh on a real SLURM whose commands are written down. */
export class Scene implements AsyncDisposable {
  readonly lab: SlurmLab
  readonly log: CommandLog
  readonly mesh: SlurmMesh
  readonly tasks: Tasks

  private constructor(lab: SlurmLab, log: CommandLog, mesh: SlurmMesh, tasks: Tasks) {
    this.lab = lab
    this.log = log
    this.mesh = mesh
    this.tasks = tasks
  }

  static async set(shape: ClusterShape, pools: readonly PoolSettings[], flags: readonly string[] = []): Promise<Scene> {
    const lab = await startSlurmLab(shape)
    let mesh: SlurmMesh | undefined
    try {
      const log = await logCommands(lab)
      mesh = await startSlurmMesh({ env: log.env, pools, flags })
      return new Scene(lab, log, mesh, await mesh.importModule<Tasks>('tasks.mjs', tasksSource))
    } catch (error) {
      await mesh?.close()
      await lab.close()
      throw error
    }
  }

  async folder(name: string): Promise<string> {
    const folder = path.join(this.mesh.userDir, name)
    await mkdir(folder)
    return folder
  }

  async aliveJobs(): Promise<JobRow[]> {
    return (await this.lab.jobs()).filter(isAlive)
  }

  async untilAlive(count: number): Promise<void> {
    await until(`${count} jobs are alive`, async () => (await this.aliveJobs()).length === count)
  }

  async untilWorkers(count: number): Promise<void> {
    await until(`${count} workers are there`, async () => (await this.mesh.cluster.workers()).length === count)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.mesh.close()
    await this.lab.close()
  }
}

/** The steps that a descent said it took. */
export async function stepsIn(folder: string): Promise<Step[]> {
  const lines = (await readFile(path.join(folder, 'steps'), 'utf8')).trim().split('\n')
  return lines.map((line) => {
    const [step = 0, pid = 0, attempt = 0] = line.split(' ').map(Number)
    return { step, pid, attempt }
  })
}

/** What a descent that nobody disturbs comes to. */
export function undisturbedDescent(steps: number): Float64Array {
  const x = Float64Array.from({ length: 1000 }, (_, i) => i / 7)
  for (let step = 1; step <= steps; step++) {
    for (let i = 0; i < x.length; i++) x[i]! -= 0.01 * Math.sin(x[i]! + step)
  }
  return x
}

export function sameBits(a: Float64Array, b: Float64Array): boolean {
  const [left, right] = [a, b].map((x) => Buffer.from(x.buffer, x.byteOffset, x.byteLength)) as [Buffer, Buffer]
  return left.equals(right)
}
