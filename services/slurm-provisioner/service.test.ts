import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { afterEach, beforeEach, expect, test } from 'vitest'

import { ConfigError, readConfig } from '#libs/config'
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
  type RpcServer,
} from '#libs/rpc'

import { provisionerConfig } from './config.js'
import { startProvisioner } from './service.js'

let meshDir: string
let running: (RunningService & { readonly address: string }) | undefined
let scheduler: RpcServer | undefined

beforeEach(async () => {
  meshDir = await mkdtemp(path.join(tmpdir(), 'costate-provisioner-'))
  await createMeshSecurity(meshDir)
})

afterEach(async () => {
  await running?.stop(100)
  await scheduler?.shutdown(100)
  running = scheduler = undefined
})

const { watchDemand } = SchedulerServiceDefinition.methods
const demandOnly = { ...SchedulerServiceDefinition, methods: { watchDemand } } as const

/** A scheduler that has this demand and nothing else, for these roles. */
async function startScheduler(demand: WatchDemandResponse, roles: readonly Role[] = ['provisioner']): Promise<void> {
  const server = createRpcServer({ security: await loadSecurity(meshDir, 'scheduler') })
  const implementation = {
    async *watchDemand(_request: unknown, { signal }: RpcCallContext) {
      yield demand
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
    },
  }
  server.add(demandOnly, implementation, { watchDemand: roles })
  const address = await server.listen('127.0.0.1:0')
  await writeAddress(meshDir, 'scheduler', { addresses: [address], pid: process.pid })
  scheduler = server
}

function start(write: (script: string) => void, ...flags: string[]): Promise<typeof running & object> {
  const config = readConfig(provisionerConfig, ['--mesh-dir', meshDir, ...flags], {})
  return startProvisioner(config, { write }).then((service) => (running = service))
}

/** What the provisioner prints next, however long it takes to get there. */
function nextScript(): { script: Promise<string>; write: (script: string) => void } {
  let write: (script: string) => void = () => undefined
  const script = new Promise<string>((resolve) => (write = resolve))
  return { script, write }
}

test('demand that the scheduler has becomes a script, also when the scheduler starts later', async () => {
  const { script, write } = nextScript()
  await start(write)
  await startScheduler({ wantedSlots: 3, presentSlots: 0, presentWorkers: 0, hello: undefined, unofferedSlots: 0 })
  const printed = await script
  expect(printed).toContain('#SBATCH --array=0-2\n')
  expect(printed).toContain(`--mesh-dir ${meshDir} `)
})

test('the script of a pool can be asked for; secrets of the mesh are not in it', async () => {
  const { address } = await start(() => undefined)
  const security = await loadSecurity(meshDir, 'client')
  const channel = createRpcChannel(address, { security, serverRole: 'provisioner', kind: 'control' })
  const client = createRpcClient(ProvisionerServiceDefinition, channel)
  try {
    const { script } = await client.getScript({ pool: 'default' })
    expect(script).toMatch(/^#!\/bin\/bash\n/)
    for (const role of ['client', 'worker', 'provisioner'] as const) {
      expect(script).not.toContain((await loadSecurity(meshDir, role)).token)
    }
    const failure = await client.getScript({ pool: 'nope' }).catch(readRpcFailure)
    expect(failure).toMatchObject({ code: 'NOT_FOUND', reason: 'POOL_NOT_FOUND' })
  } finally {
    closeRpcChannel(channel)
  }
})

test('a worker may not look at the pools', async () => {
  const { address } = await start(() => undefined)
  const security = await loadSecurity(meshDir, 'worker')
  const channel = createRpcChannel(address, { security, serverRole: 'provisioner', kind: 'control' })
  try {
    const failure = await createRpcClient(ProvisionerServiceDefinition, channel).listPools({}).catch(readRpcFailure)
    expect(failure).toMatchObject({ code: 'PERMISSION_DENIED' })
  } finally {
    closeRpcChannel(channel)
  }
})

test('a scheduler that refuses the provisioner ends it with a code that says so', async () => {
  await startScheduler({ wantedSlots: 0, presentSlots: 0, presentWorkers: 0, hello: undefined, unofferedSlots: 0 }, [
    'admin',
  ])
  const { ended } = await start(() => undefined)
  expect(await ended).toBe(exitCodes.refused)
})

test('a pools file that is wrong stops the start', async () => {
  await expect(start(() => undefined, '--pools-file', '/nowhere')).rejects.toThrow(ConfigError)
})
