import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest'

import { AllocationState, PoolCondition } from '#libs/proto'

import { isAlive, type JobRow } from '../harness/slurm/job-table.js'
import { type SlurmLab, startSlurmLab } from '../harness/slurm/slurm-lab.js'
import { type PoolSettings, smallPool, type SlurmMesh, startSlurmMesh } from '../harness/slurm/slurm-mesh.js'

const patience = { timeout: 100_000 }

describe.skipIf(inject('slurmMissing') !== '')('jobs that start on a real SLURM and come to nothing', () => {
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

  async function start(pool: PoolSettings): Promise<SlurmMesh> {
    mesh = await startSlurmMesh({ env: lab.env, pools: [pool] })
    return mesh
  }

  async function aliveJobs(): Promise<JobRow[]> {
    return (await lab.jobs()).filter(isAlive)
  }

  test('a job whose worker never comes is given up; after a few of them the pool rests, says why, and goes on when told to', async () => {
    // On each of the nodes, so that no node alone is to blame.
    const pool = smallPool({ minWorkers: 1, registerTimeout: '1s', maxNeverRegistered: 2, prologue: ['sleep 1000'] })
    const running = await start(pool)
    const condition = async (): Promise<PoolCondition> => (await running.pool()).condition
    await expect.poll(condition, patience).toBe(PoolCondition.PAUSED)
    await expect.poll(aliveJobs, patience).toEqual([])
    const { pauseReason, explanation } = await running.pool()
    expect(pauseReason).toContain('without a worker')
    expect(explanation).toContain(pauseReason)
    // One more may have been under way when the last straw was seen.
    const ends = async (): Promise<Set<AllocationState>> =>
      new Set((await running.allocations()).map(({ state }) => state))
    await expect.poll(ends, patience).toEqual(new Set([AllocationState.NEVER_REGISTERED]))
    expect((await running.allocations()).length).toBeLessThanOrEqual(3)
    await running.editPools([smallPool({ minWorkers: 1, maxWorkers: 2 })])
    await expect.poll(async () => (await running.pool()).maxWorkers, patience).toBe(2)
    await running.callProvisioner((client) => client.resumePool({ pool: 'cpu' }))
    await running.cluster.waitForWorkers(1, { timeout: '100s' })
    expect(await condition()).toBe(PoolCondition.ACTIVE)
  })

  test('a node that ends every job at its start gets no more of them', async () => {
    const prologue = ['[ "$SLURMD_NODENAME" != node1 ] || exit 3']
    const running = await start(smallPool({ minWorkers: 2, maxWorkers: 2, maxNeverRegistered: 100, prologue }))
    await running.cluster.waitForWorkers(2, { timeout: '100s' })
    expect((await aliveJobs()).map(({ node }) => node)).toEqual(['node2', 'node2'])
    const { excludedNodes } = await running.callProvisioner((client) => client.listPools({}))
    expect(excludedNodes).toEqual(['node1'])
    const failed = (await running.allocations()).filter(({ node }) => node === 'node1')
    expect(failed.length).toBeGreaterThanOrEqual(2)
    for (const { state, exitCode } of failed) {
      expect({ state, exitCode }).toEqual({ state: AllocationState.FAILED_BEFORE_REGISTERING, exitCode: 3 })
    }
  })

  test('a job on two nodes has a worker on each, and a task for each', async () => {
    const running = await start(smallPool({ minWorkers: 2, maxWorkers: 2, nodes: 2 }))
    await running.cluster.waitForWorkers(2, { timeout: '100s' })
    const [job, ...others] = await aliveJobs()
    expect(others).toEqual([])
    expect(job!.node).toBe('node[1-2]')
    const [allocation] = await running.allocations()
    await expect.poll(async () => (await running.allocations())[0]!.workerIds.length, patience).toBe(2)
    expect(allocation!.jobId).toBe(job!.id)
    await running.editPools([smallPool({ maxWorkers: 2, nodes: 2 })])
    await expect.poll(aliveJobs, patience).toEqual([])
  })

  test('a pool whose core hours are used up gets no more jobs, and says so', async () => {
    // Of ten hours on one core only one fits.
    const running = await start(smallPool({ minWorkers: 3, coreHours: 12 }))
    await running.cluster.waitForWorkers(1, { timeout: '100s' })
    const condition = async (): Promise<PoolCondition> => (await running.pool()).condition
    await expect.poll(condition, patience).toBe(PoolCondition.OUT_OF_BUDGET)
    expect((await running.pool()).explanation).toContain('core hours')
    expect(await lab.jobs()).toHaveLength(1)
  })
})
