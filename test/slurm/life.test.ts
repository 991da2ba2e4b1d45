import { readFileSync } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'

import { AllocationState } from '#libs/proto'

import { waitForFile } from '../harness/marker-file.js'
import { isAlive, type JobRow } from '../harness/slurm/job-table.js'
import { type SlurmLab, startSlurmLab } from '../harness/slurm/slurm-lab.js'
import { smallPool, type SlurmMesh, startSlurmMesh } from '../harness/slurm/slurm-mesh.js'
import { type Tasks, tasksSource } from '../harness/slurm/user-tasks.js'

const patience = { timeout: 100_000 }

describe.skipIf(inject('slurmMissing') !== '')('the life of workers on a real SLURM', () => {
  let lab: SlurmLab
  let mesh: SlurmMesh
  let tasks: Tasks

  beforeAll(async () => {
    lab = await startSlurmLab({ nodes: 2, cpusPerNode: 4 })
    mesh = await startSlurmMesh({ env: lab.env, pools: [smallPool({ maxWorkers: 3 })] })
    tasks = await mesh.importModule<Tasks>('tasks.mjs', tasksSource)
  })

  afterAll(async () => {
    await mesh.close()
    await lab.close()
  })

  async function aliveJobs(): Promise<JobRow[]> {
    return (await lab.jobs()).filter(isAlive)
  }

  async function newFolder(name: string): Promise<string> {
    const folder = path.join(mesh.userDir, name)
    await mkdir(folder)
    return folder
  }

  test('demand becomes jobs, jobs become workers, these run what there is, and end when there is nothing more', async () => {
    expect(await lab.jobs()).toEqual([])
    const folder = await newFolder('life')
    const futures = ['a', 'b', 'c', 'd', 'e'].map((name) => mesh.cluster.submit(tasks.hold, folder, name))
    await mesh.cluster.waitForWorkers(3, { timeout: '100s' })
    for (const name of ['a', 'b', 'c']) await waitForFile(path.join(folder, name))
    // No more than the pool may have, and each of them says whose it is.
    const running = await aliveJobs()
    const registered = async (): Promise<number> => (await mesh.pool()).registeredAllocations
    await expect.poll(registered, patience).toBe(3)
    expect(running.map(({ state }) => state)).toEqual(['RUNNING', 'RUNNING', 'RUNNING'])
    for (const { name, comment } of running) {
      expect(name).toMatch(/^costate-[0-9a-f]{10}-cpu-/)
      expect(comment).toMatch(/^costate\/1\/[0-9a-f]{10}\/cpu\//)
    }
    await writeFile(path.join(folder, 'go'), '')
    expect(await mesh.cluster.gather(futures)).toEqual(['a', 'b', 'c', 'd', 'e'])
    await expect.poll(aliveJobs, patience).toEqual([])
    const ends = (await lab.jobs()).map(({ state }) => state)
    expect(ends).toEqual(['COMPLETED', 'COMPLETED', 'COMPLETED'])
    expect(await mesh.cluster.workers()).toEqual([])
    // And the provisioner knows each by its number, with the worker that it had.
    const batchStates = async (): Promise<string[]> => (await mesh.allocations()).map(({ batchState }) => batchState)
    await expect.poll(batchStates, patience).toEqual(['COMPLETED', 'COMPLETED', 'COMPLETED'])
    const known = await mesh.allocations()
    expect(known.map(({ jobId }) => jobId).sort()).toEqual((await lab.jobs()).map(({ id }) => id).sort())
    for (const { state, batchState, exitCode, explanation } of known) {
      expect({ state, batchState, exitCode }).toEqual({
        state: AllocationState.COMPLETED,
        batchState: 'COMPLETED',
        exitCode: 0,
      })
      expect(explanation).not.toBe('')
    }
  })

  test('work that comes again gets workers again, also after everything was at rest', async () => {
    const before = (await lab.jobs()).length
    const squares = mesh.cluster.map(tasks.square, [1, 2, 3, 4])
    expect(await mesh.cluster.gather(squares)).toEqual([1, 4, 9, 16])
    expect((await lab.jobs()).length).toBeGreaterThan(before)
    await expect.poll(aliveJobs, patience).toEqual([])
  })

  test('no secret of the mesh is in a script, in an argument or in the environment of a job', async () => {
    const folder = await newFolder('secrets')
    const future = mesh.cluster.submit(tasks.hold, folder, 'one')
    await waitForFile(path.join(folder, 'one'))
    const [job] = await aliveJobs()
    const script = await lab.run('scontrol', 'write', 'batch_script', job!.id, '-')
    expect(script.stdout).toContain('#SBATCH --export=NONE')
    const secrets = await Promise.all(
      (await readdir(path.join(mesh.meshDir, 'tokens'))).map((name) => readSecret(mesh.meshDir, name)),
    )
    expect(secrets.length).toBeGreaterThan(0)
    const told = lab.nodes.flatMap((node) => node.jobProcesses()).map(wordsOf)
    for (const text of [script.stdout, ...told]) for (const secret of secrets) expect(text).not.toContain(secret)
    await writeFile(path.join(folder, 'go'), '')
    expect(await future.result()).toBe('one')
  })
})

async function readSecret(meshDir: string, name: string): Promise<string> {
  return (await readFile(path.join(meshDir, 'tokens', name), 'utf8')).trim()
}

/** The arguments and variables of a process; nothing when it has ended meanwhile. */
function wordsOf(pid: number): string {
  try {
    return ['cmdline', 'environ'].map((name) => readFileSync(`/proc/${pid}/${name}`, 'latin1')).join('\n')
  } catch {
    return ''
  }
}
