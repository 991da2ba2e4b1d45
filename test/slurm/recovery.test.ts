import { writeFile } from 'node:fs/promises'
import path from 'node:path'

import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest'

import { AllocationState } from '#libs/proto'

import { waitForFile } from '../harness/marker-file.js'
import { isAlive, type JobRow } from '../harness/slurm/job-table.js'
import { type SlurmLab, startSlurmLab } from '../harness/slurm/slurm-lab.js'
import { type PoolSettings, smallPool, type SlurmMesh, startSlurmMesh } from '../harness/slurm/slurm-mesh.js'
import { type Tasks, tasksSource } from '../harness/slurm/user-tasks.js'

const patience = { timeout: 100_000 }

describe.skipIf(inject('slurmMissing') !== '')('what is lost on a real SLURM is replaced', () => {
  let lab: SlurmLab
  let mesh: SlurmMesh | undefined

  beforeEach(async () => {
    lab = await startSlurmLab({ nodes: 2 })
  })

  afterEach(async () => {
    await mesh?.close()
    await lab.close()
    mesh = undefined
  })

  async function start(pool: PoolSettings, ...flags: readonly string[]): Promise<SlurmMesh> {
    mesh = await startSlurmMesh({ env: lab.env, pools: [pool], flags })
    return mesh
  }

  async function aliveJobs(): Promise<JobRow[]> {
    return (await lab.jobs()).filter(isAlive)
  }

  async function workerPids(of: SlurmMesh): Promise<number[]> {
    return (await of.cluster.workers()).map(({ pid }) => pid).sort((a, b) => a - b)
  }

  test('R1: a job whose processes are killed is replaced, and its work is done', async () => {
    const started = await start(smallPool({ minWorkers: 2 }))
    const { cluster, userDir } = started
    const tasks = await started.importModule<Tasks>('tasks.mjs', tasksSource)
    await cluster.waitForWorkers(2, { timeout: '100s' })
    const [victim] = await aliveJobs()
    const held = [cluster.submit(tasks.hold, userDir, 'one'), cluster.submit(tasks.hold, userDir, 'two')]
    for (const name of ['one', 'two']) await waitForFile(path.join(userDir, name))
    await lab.killJob(victim!)
    await expect.poll(async () => (await aliveJobs()).filter(({ id }) => id !== victim!.id).length, patience).toBe(2)
    const lost = (await started.allocations()).find(({ jobId }) => jobId === victim!.id)
    expect(lost).toMatchObject({ state: AllocationState.FAILED, signal: 9 })
    await cluster.waitForWorkers(2, { timeout: '100s' })
    await writeFile(path.join(userDir, 'go'), '')
    expect(await cluster.gather(held)).toEqual(['one', 'two'])
    expect((await lab.jobs()).length).toBe(3)
  })

  test('R4: workers that share a job are known as its own, and are replaced with it', async () => {
    const running = await start(smallPool({ minWorkers: 2, maxWorkers: 2, workersPerNode: 2, cpus: 2 }))
    const { cluster } = running
    await cluster.waitForWorkers(2, { timeout: '100s' })
    const [job, ...others] = await aliveJobs()
    expect(others).toEqual([])
    const ids = (await cluster.workers()).map(({ id }) => id).sort()
    const known = async (): Promise<string[]> => [...(await running.allocations())[0]!.workerIds].sort()
    await expect.poll(known, patience).toEqual(ids)
    await lab.killJob(job!)
    await expect.poll(async () => (await aliveJobs()).map(({ id }) => id), patience).not.toContain(job!.id)
    await expect.poll(aliveJobs, patience).toHaveLength(1)
    await expect.poll(async () => (await cluster.workers()).length, patience).toBe(2)
    expect((await lab.jobs()).length).toBe(2)
  })

  test('a job that somebody else cancels is replaced while it is wanted', async () => {
    const { cluster } = await start(smallPool({ minWorkers: 1 }))
    await cluster.waitForWorkers(1, { timeout: '100s' })
    const [first] = await aliveJobs()
    await lab.run('scancel', first!.id)
    await expect.poll(async () => (await aliveJobs()).filter(({ id }) => id !== first!.id).length, patience).toBe(1)
    expect(await lab.jobs()).toHaveLength(2)
  })

  test('a provisioner that is killed finds its jobs again: none is submitted twice, none is left alone', async () => {
    const running = await start(smallPool({ minWorkers: 2 }))
    await running.cluster.waitForWorkers(2, { timeout: '100s' })
    const before = (await lab.jobs()).map(({ id }) => id)
    const pids = await workerPids(running)
    await running.provisioner.kill()
    // While nobody looks, one of them ends.
    const [victim] = await aliveJobs()
    await lab.killJob(victim!)
    await expect.poll(aliveJobs, patience).toHaveLength(1)
    await running.startProvisioner()
    await expect.poll(aliveJobs, patience).toHaveLength(2)
    const old = async (): Promise<boolean[]> => (await workerPids(running)).map((pid) => pids.includes(pid)).sort()
    await expect.poll(old, patience).toEqual([false, true])
    expect((await lab.jobs()).map(({ id }) => id)).toHaveLength(before.length + 1)
    // What it found again it also ends: nobody wants workers any more.
    await running.editPools([smallPool({ minWorkers: 0 })])
    await expect.poll(aliveJobs, patience).toEqual([])
  })

  test('a pool that is gone after a restart leaves no job behind', async () => {
    const running = await start(smallPool({ name: 'old', minWorkers: 1 }))
    await running.cluster.waitForWorkers(1, { timeout: '100s' })
    const [left] = await aliveJobs()
    await running.provisioner.kill()
    await running.editPools([smallPool({ name: 'new', minWorkers: 1 })])
    await running.startProvisioner()
    await expect.poll(async () => (await aliveJobs()).map(({ id }) => id), patience).not.toContain(left!.id)
    await expect.poll(async () => (await aliveJobs()).map(({ name }) => name.split('-')[2]), patience).toEqual(['new'])
  })

  test('R2: a job that never starts is given up and another is tried; the pool says why it rests', async () => {
    const pool = smallPool({ partition: 'closed', minWorkers: 1, pendingTimeout: '1s', maxFailedSubmits: 3 })
    const { cluster, ...running } = await start(pool)
    const cancelled = async (): Promise<number> =>
      (await lab.jobs()).filter(({ state }) => state === 'CANCELLED').length
    await expect.poll(cancelled, patience).toBeGreaterThanOrEqual(2)
    expect(await cluster.workers()).toEqual([])
    const states = (await running.allocations()).map(({ state }) => state)
    expect(states.filter((state) => state === AllocationState.NEVER_STARTED).length).toBeGreaterThanOrEqual(2)
    // In SLURM's own word.
    expect((await running.allocations()).map(({ batchReason }) => batchReason)).toContain('PartitionDown')
  })
})
