import { mkdtemp, mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

import { createSlurmCluster } from 'costate'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'

import { packageRoot, rejectionOf } from '../harness/local-mesh.js'
import { isAlive } from '../harness/slurm/job-table.js'
import { type SlurmLab, startSlurmLab } from '../harness/slurm/slurm-lab.js'
import { type Tasks, tasksSource } from '../harness/slurm/user-tasks.js'

const patience = { timeout: 150_000 }
const small = { cores: 1, memory: '500MB', walltime: '10h', pollInterval: '300ms', queue: 'compute' } as const

describe.skipIf(inject('slurmMissing') !== '')('createSlurmCluster on a real SLURM', () => {
  let lab: SlurmLab
  let folder: string
  let tasks: Tasks

  beforeAll(async () => {
    lab = await startSlurmLab({ nodes: 2 })
    folder = await mkdtemp(path.join(tmpdir(), 'costate-test-'))
    // What a user's shell on a login node has.
    Object.assign(process.env, lab.env, { COSTATE_HOME: path.join(folder, 'home') })
    await mkdir(path.join(folder, 'user', 'node_modules'), { recursive: true })
    await symlink(packageRoot, path.join(folder, 'user', 'node_modules', 'costate'))
    await writeFile(path.join(folder, 'user', 'package.json'), '{ "name": "user", "type": "module" }')
    const file = path.join(folder, 'user', 'tasks.mjs')
    await writeFile(file, tasksSource)
    tasks = (await import(/* @vite-ignore */ pathToFileURL(file).href)) as Tasks
  })

  afterAll(async () => {
    delete process.env['COSTATE_HOME']
    delete process.env['SLURM_CONF']
    await lab.close()
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  })

  async function alive(): Promise<number> {
    return (await lab.jobs()).filter(isAlive).length
  }

  test('it is a cluster like the local one: it maps, scales, adapts, and leaves no job behind', async () => {
    // Other machines may dial it, so that everything goes over TLS.
    const cluster = await createSlurmCluster({
      ...small,
      workers: 1,
      idleTimeout: '1s',
      runDir: path.join(folder, 'run'),
    })
    try {
      const inputs = [1, 2, 3, 4, 5]
      expect(await cluster.gather(cluster.map(tasks.square, inputs))).toEqual([1, 4, 9, 16, 25])
      expect(await alive()).toBe(1)
      await cluster.scale(2)
      await cluster.waitForWorkers(2, { timeout: '150s' })
      expect(await alive()).toBe(2)
      cluster.adapt({ minimum: 0, maximum: 2 })
      await expect.poll(alive, patience).toBe(0)
      expect(await cluster.submit(tasks.square, 7).result()).toBe(49)
    } finally {
      await cluster.close()
    }
    await expect.poll(alive, patience).toBe(0)
  })

  test('what SLURM would refuse is said at once, in its words and with advice, and nothing is left', async () => {
    const before = (await lab.jobs()).length
    const options = { ...small, queue: 'nope', workers: 1, host: '127.0.0.1', runDir: path.join(folder, 'refused') }
    const refusal = await rejectionOf(createSlurmCluster(options))
    expect(refusal).toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'SUBMIT_REFUSED' })
    expect(refusal.message).toContain('Invalid partition name specified')
    expect(refusal.message).toContain('sinfo')
    expect((await lab.jobs()).length).toBe(before)
  })
})
