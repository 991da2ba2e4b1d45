import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { afterEach, beforeEach, expect, test } from 'vitest'

import { ConfigError, readConfig } from '#libs/config'
import { createMemoryJournal, type Journal } from '#libs/journal'
import { exitCodes, type RunningService, writeAddress } from '#libs/lifecycle'
import { ProvisionerServiceDefinition, SchedulerServiceDefinition, type WatchDemandResponse } from '#libs/proto'
import {
  closeRpcChannel,
  createMeshSecurity,
  createRpcChannel,
  createRpcClient,
  createRpcServer,
  loadSecurity,
  readRpcFailure,
  type Role,
  type RpcCallContext,
  type RpcClient,
  type RpcServer,
} from '#libs/rpc'

import { provisionerConfig } from './config.js'
import type { Fact } from './core/fact.js'
import { startProvisioner } from './service.js'
import { subjectOf } from './storage/fact-codec.js'
import { commandLab, type CommandLab } from './testing/command-lab.js'

let meshDir: string
let lab: CommandLab
const running: RunningService[] = []
let scheduler: RpcServer | undefined

beforeEach(async () => {
  meshDir = await mkdtemp(path.join(tmpdir(), 'costate-provisioner-'))
  await createMeshSecurity(meshDir)
  lab = commandLab()
})

afterEach(async () => {
  for (const service of running.splice(0)) await service.stop(100)
  await scheduler?.shutdown(100)
  scheduler = undefined
})

const { watchDemand, listWorkers } = SchedulerServiceDefinition.methods
const demandOnly = { ...SchedulerServiceDefinition, methods: { watchDemand, listWorkers } } as const

/** A scheduler that has this demand, no workers, and nothing else, for these roles. */
async function startScheduler(wantedSlots: number, roles: readonly Role[] = ['provisioner']): Promise<void> {
  const server = createRpcServer({ security: await loadSecurity(meshDir, 'scheduler') })
  const implementation = {
    async *watchDemand(_request: unknown, { signal }: RpcCallContext) {
      yield { wantedSlots } satisfies Partial<WatchDemandResponse>
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
    },
    listWorkers: async () => ({ workers: [], nextPageToken: '' }),
  }
  server.add(demandOnly, implementation, { watchDemand: roles, listWorkers: roles })
  const address = await server.listen('127.0.0.1:0')
  await writeAddress(meshDir, 'scheduler', { addresses: [address], pid: process.pid })
  scheduler = server
}

async function start(flags: readonly string[] = [], journal: Journal<Fact> = createMemoryJournal()) {
  const config = readConfig(provisionerConfig, ['--mesh-dir', meshDir, '--poll-interval', '100ms', ...flags], {})
  const fatal: unknown[] = []
  const onFatal = (error: unknown): unknown => fatal.push(error)
  const service = await startProvisioner(config, { journal, run: lab.run, onFatal })
  running.push(service)
  return { ...service, fatal }
}

async function call<T>(
  address: string,
  role: Role,
  ask: (client: RpcClient<typeof ProvisionerServiceDefinition>) => Promise<T>,
): Promise<T> {
  const security = await loadSecurity(meshDir, role)
  const channel = createRpcChannel(address, { security, serverRole: 'provisioner', kind: 'control' })
  try {
    return await ask(createRpcClient(ProvisionerServiceDefinition, channel))
  } finally {
    closeRpcChannel(channel)
  }
}

test('demand that the scheduler has becomes jobs, also when the scheduler starts later; no secret is in their script', async () => {
  await start()
  await startScheduler(3)
  await expect.poll(() => lab.scripts).toHaveLength(1)
  const [script = ''] = lab.scripts
  expect(script).toContain('#SBATCH --array=0-2\n')
  expect(script).toContain(`--mesh-dir ${meshDir} `)
  for (const role of ['client', 'worker', 'provisioner'] as const) {
    expect(script).not.toContain((await loadSecurity(meshDir, role)).token)
  }
  expect(lab.calls.filter(({ name }) => name === 'sbatch').flatMap(({ args }) => args)).toEqual([
    '--version',
    '--parsable',
  ])
})

test('what a client may ask is answered, and a worker may not ask', async () => {
  const { address } = await start()
  const { script } = await call(address, 'client', (client) => client.getScript({ pool: 'default' }))
  expect(script).toMatch(/^#!\/bin\/bash\n/)
  const { accepted, message } = await call(address, 'observer', (client) => client.verifySubmit({ pool: 'default' }))
  expect({ accepted, message }).toEqual({ accepted: true, message: 'Job 1 to start at 2026-11-30T06:00:00' })
  const failure = await call(address, 'client', (client) => client.getScript({ pool: 'nope' })).catch(readRpcFailure)
  expect(failure).toMatchObject({ code: 'NOT_FOUND', reason: 'POOL_NOT_FOUND' })
  const refused = await call(address, 'worker', (client) => client.listPools({})).catch(readRpcFailure)
  expect(refused).toMatchObject({ code: 'PERMISSION_DENIED' })
  const observer = await call(address, 'observer', (client) => client.pausePool({ pool: 'default' })).catch(
    readRpcFailure,
  )
  expect(observer).toMatchObject({ code: 'PERMISSION_DENIED' })
})

test('a pool that is held at a number is submitted, and cancelled when the provisioner ends with its mesh', async () => {
  const { address } = await start(['--on-stop', 'cancel'])
  await call(address, 'client', (client) => client.scalePool({ pool: 'default', workers: 2 }))
  await expect.poll(() => lab.jobs.map(({ state }) => state)).toEqual(['PENDING', 'PENDING'])
  await running.pop()!.stop(1_000)
  expect(lab.jobs.map(({ state }) => state)).toEqual(['CANCELLED', 'CANCELLED'])
})

test('a provisioner that ends otherwise leaves its jobs, and the next one adopts them', async () => {
  const journal = createMemoryJournal<Fact>({ retain: true, subjectOf })
  const { address } = await start([], journal)
  await call(address, 'client', (client) => client.scalePool({ pool: 'default', workers: 2 }))
  await expect.poll(() => lab.jobs).toHaveLength(2)
  await running.pop()!.stop(1_000)
  const second = await start([], journal)
  await expect
    .poll(async () => (await call(second.address, 'client', (client) => client.listPools({}))).pools)
    .toMatchObject([{ pendingAllocations: 2, heldWorkers: 2 }])
  expect(lab.jobs.map(({ state }) => state)).toEqual(['PENDING', 'PENDING'])
  expect(lab.scripts).toHaveLength(1)
})

test('a second provisioner of the mesh is refused; one that takes over ends the first', async () => {
  const first = await start(['--instance-id', 'first'])
  await expect(start(['--instance-id', 'second'])).rejects.toThrow(
    /provisioner first \(process \d+ on .*\) provides for this mesh/,
  )
  await start(['--instance-id', 'third', '--take-over'])
  await expect.poll(() => first.fatal).not.toEqual([])
  expect(first.fatal[0]).toMatchObject({
    name: 'RefusedError',
    message: expect.stringContaining('provisioner third') as string,
  })
})

test('a pools file that is changed is read again; one that is wrong then leaves the pools as they were', async () => {
  const file = path.join(meshDir, 'pools.yaml')
  await writeFile(file, 'pools: [{ name: cpu }]')
  const { address } = await start(['--pools-file', file])
  const names = async () => {
    const { pools, poolsFileProblem } = await call(address, 'client', (client) => client.listPools({}))
    return [...pools.map(({ name }) => name), poolsFileProblem]
  }
  expect(await names()).toEqual(['cpu', ''])
  await writeFile(file, 'pools: [{ name: cpu }, { name: gpu }]')
  await expect.poll(names).toEqual(['cpu', 'gpu', ''])
  await writeFile(file, 'pools: [{ name: cpu, cores: 4, x: 2 }]')
  await expect.poll(names).toEqual(['cpu', 'gpu', expect.stringContaining("did you mean 'cpus'?")])
})

test('who edits the pools file and then scales a pool means the new one', async () => {
  const file = path.join(meshDir, 'pools.yaml')
  await writeFile(file, 'pools: [{ name: cpu, maxWorkers: 1 }]')
  const { address } = await start(['--pools-file', file, '--poll-interval', '1h'])
  await startScheduler(4)
  await expect.poll(() => lab.scripts).toHaveLength(1)
  await writeFile(file, 'pools: [{ name: cpu, maxWorkers: 7 }]')
  const { pool } = await call(address, 'client', (client) => client.scalePool({ pool: 'cpu' }))
  expect(pool).toMatchObject({ maxWorkers: 7, desiredWorkers: 4 })
})

test('a scheduler that refuses the provisioner ends it with a code that says so', async () => {
  await startScheduler(0, ['admin'])
  const { ended } = await start()
  expect(await ended).toBe(exitCodes.refused)
})

test.each([
  ['sbatch is not on PATH', { missing: true }, /sbatch is not on PATH/],
  ['SLURM is too old', { version: 'slurm 18.08.4' }, /SLURM is 18\.08\.4 here; 20\.11 or newer is needed/],
])('when %s the start is refused, and nothing is left of it', async (_what, fault, message) => {
  lab.fault(fault)
  await expect(start()).rejects.toThrow(message)
  await expect(readFile(path.join(meshDir, 'slurm', 'claim.json'))).rejects.toThrow(/ENOENT/)
})

test('a pools file that is wrong stops the start', async () => {
  await expect(start(['--pools-file', '/nowhere'])).rejects.toThrow(ConfigError)
})
