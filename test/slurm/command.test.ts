import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'

import { isAlive } from '../harness/slurm/job-table.js'
import { type SlurmLab, startSlurmLab } from '../harness/slurm/slurm-lab.js'
import { smallPool, type SlurmMesh, startSlurmMesh } from '../harness/slurm/slurm-mesh.js'

const patience = { timeout: 100_000 }

describe.skipIf(inject('slurmMissing') !== '')('costate slurm, on a real SLURM', () => {
  let lab: SlurmLab
  let mesh: SlurmMesh

  beforeAll(async () => {
    lab = await startSlurmLab({ nodes: 1 })
    const pools = [smallPool({ maxWorkers: 3 }), smallPool({ name: 'wrong', partition: 'nope' })]
    mesh = await startSlurmMesh({ env: lab.env, pools })
  })

  afterAll(async () => {
    await mesh.close()
    await lab.close()
  })

  async function json<T>(...words: readonly string[]): Promise<T> {
    const { code, stdout, stderr } = await mesh.costate('--json', 'slurm', ...words)
    if (code !== 0) throw new Error(stderr)
    return JSON.parse(stdout) as T
  }

  async function alive(): Promise<number> {
    return (await lab.jobs()).filter(isAlive).length
  }

  test('a pool that SLURM would refuse: the dry run fails with its words and what to do, and nothing is submitted', async () => {
    const refused = await mesh.costate('slurm', 'script', 'wrong', '--dry-run')
    expect(refused.code).not.toBe(0)
    expect(refused.stderr).toContain('Invalid partition name specified')
    expect(refused.stderr).toContain('sinfo')
    const taken = await mesh.costate('slurm', 'script', 'cpu', '--dry-run')
    expect(taken).toMatchObject({ code: 0 })
    expect(taken.stdout).toContain('to start at')
    expect(await lab.jobs()).toEqual([])
  })

  test('a pool that there is not is told from those there are', async () => {
    for (const words of [
      ['script', 'gpu'],
      ['pause', 'gpu'],
      ['explain', 'gpu'],
    ]) {
      const { code, stderr } = await mesh.costate('slurm', ...words)
      expect(code).not.toBe(0)
      expect(stderr).toContain('cpu')
    }
  })

  test('scale, pools, allocations, explain, pause, resume and drain do what they say', async () => {
    expect((await mesh.costate('slurm', 'scale', 'cpu', '2')).code).toBe(0)
    await mesh.cluster.waitForWorkers(2, { timeout: '100s' })
    const registered = async (): Promise<number> =>
      (await json<{ state: string }[]>('allocations', '--live')).filter(({ state }) => state === 'registered').length
    await expect.poll(registered, patience).toBe(2)
    const table = await mesh.costate('slurm', 'pools')
    expect(table.stdout).toMatch(/cpu/)
    expect(table.stdout).toMatch(/wrong/)
    const [first] = (await lab.jobs()).filter(isAlive)
    const told = await mesh.costate('slurm', 'explain', first!.id)
    expect(told).toMatchObject({ code: 0 })
    expect(told.stdout).toContain(first!.id)

    expect((await mesh.costate('slurm', 'pause', 'cpu', '--reason', 'the disks are full')).stdout).toContain(
      'the disks are full',
    )
    await lab.run('scancel', first!.id)
    await expect.poll(alive, patience).toBe(1)
    await mesh.costate('slurm', 'resume', 'cpu')
    await expect.poll(alive, patience).toBe(2)
    await mesh.costate('slurm', 'drain', 'cpu')
    await expect.poll(alive, patience).toBe(0)
  })
})
