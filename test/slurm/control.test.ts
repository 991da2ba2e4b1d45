import { afterEach, beforeEach, expect, test } from 'vitest'

import { PoolCondition } from '#libs/proto'

import { FakeSlurm } from '../harness/slurm/fake/fake-slurm.js'
import { isAlive } from '../harness/slurm/job-table.js'
import { ProvisionerProcess } from '../harness/slurm/provisioner-process.js'
import { type PoolSettings, smallPool, type SlurmMesh, startSlurmMesh } from '../harness/slurm/slurm-mesh.js'

const patience = { timeout: 60_000 }
/** Another provisioner works on the mesh. */
const refused = 5
const patientPool = { registerTimeout: '1h', pendingTimeout: '1h' }

let fake: FakeSlurm
let mesh: SlurmMesh | undefined

beforeEach(async () => {
  fake = await FakeSlurm.start()
})

afterEach(async () => {
  await mesh?.close()
  await fake[Symbol.asyncDispose]()
  mesh = undefined
})

async function start(pool: PoolSettings, ...flags: readonly string[]): Promise<SlurmMesh> {
  mesh = await startSlurmMesh({ env: fake.env, pools: [pool], flags: ['--poll-interval', '150ms', ...flags] })
  return mesh
}

async function moreLooks(): Promise<void> {
  await fake.callCount('squeue', fake.callsOf('squeue').length + 3)
}

function alive(): number {
  return fake.jobs.all.filter(isAlive).length
}

test('a pool that is held at a number has so many jobs, and follows the demand again when it is let go', async () => {
  const running = await start(smallPool(patientPool))
  await running.callProvisioner((client) => client.scalePool({ pool: 'cpu', workers: 3 }))
  await expect.poll(alive, patience).toBe(3)
  await running.callProvisioner((client) => client.scalePool({ pool: 'cpu', workers: 1 }))
  await expect.poll(alive, patience).toBe(1)
  await running.callProvisioner((client) => client.scalePool({ pool: 'cpu' }))
  await expect.poll(alive, patience).toBe(0)
})

test('a pool that is paused gets nothing, keeps what it has, says why, and also after a restart', async () => {
  const running = await start(smallPool({ ...patientPool, minWorkers: 1 }))
  await expect.poll(alive, patience).toBe(1)
  await running.callProvisioner((client) => client.pausePool({ pool: 'cpu', reason: 'the disks are full' }))
  await running.provisioner.kill()
  await running.startProvisioner()
  await running.editPools([smallPool({ ...patientPool, minWorkers: 2 })])
  await moreLooks()
  expect(await running.pool()).toMatchObject({ condition: PoolCondition.PAUSED, pauseReason: 'the disks are full' })
  expect(fake.jobs.all).toHaveLength(1)
  expect(alive()).toBe(1)
  await running.callProvisioner((client) => client.resumePool({ pool: 'cpu' }))
  await expect.poll(alive, patience).toBe(2)
})

test('a second provisioner of the mesh is told that there is one, and touches nothing', async () => {
  const running = await start(smallPool({ ...patientPool, minWorkers: 1 }))
  await expect.poll(alive, patience).toBe(1)
  const second = ProvisionerProcess.launch(running.meshDir, ['--pools-file', running.poolsFile], fake.env)
  expect(await second.ended).toBe(refused)
  expect(second.written).toContain(String(running.provisioner.pid))
  await moreLooks()
  expect(fake.jobs.all).toHaveLength(1)
})

test('one that takes over goes on with the jobs, and the one before ends by itself', async () => {
  const running = await start(smallPool({ ...patientPool, minWorkers: 1 }))
  await expect.poll(alive, patience).toBe(1)
  const first = running.provisioner
  // The journal is the first one's as long as it lives: the other one finds the jobs by their tags.
  await running.startProvisioner('--take-over', '--data-dir', `${running.userDir}/other-journal`)
  fake.jobs.end('1', 'FAILED', 256)
  expect(await first.ended).toBe(refused)
  await expect.poll(alive, patience).toBe(1)
  await moreLooks()
  expect(fake.jobs.all).toHaveLength(2)
})

test('a provisioner that lost its journal finds its jobs by their tags', async () => {
  const running = await start(smallPool({ ...patientPool, minWorkers: 2 }))
  await expect.poll(alive, patience).toBe(2)
  for (const { id } of fake.jobs.all) fake.jobs.start(id)
  await running.provisioner.kill()
  await running.startProvisioner('--data-dir', `${running.userDir}/empty`)
  await moreLooks()
  expect(fake.jobs.all).toHaveLength(2)
  expect(alive()).toBe(2)
  expect((await running.allocations()).map(({ jobId }) => jobId).sort()).toEqual(fake.jobs.all.map(({ id }) => id))
})

test.each([
  ['keep', 2],
  ['cancel', 0],
] as const)('told to stop with --on-stop %s, %i of two jobs are left', async (onStop, left) => {
  const running = await start(smallPool({ ...patientPool, minWorkers: 2 }), '--on-stop', onStop)
  await expect.poll(alive, patience).toBe(2)
  expect(await running.provisioner.stop()).toBe(0)
  expect(alive()).toBe(left)
})
