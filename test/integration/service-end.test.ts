import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { afterEach, beforeEach, expect, test } from 'vitest'

import { createMeshSecurity } from '#libs/rpc'

import type { Message } from '../harness/contract.js'
import {
  type Conversation,
  createDynamicClient,
  type DynamicClient,
  readServiceAddress,
  readToken,
} from '../harness/dynamic-client.js'
import { packageRoot } from '../harness/local-mesh.js'
import { runToEnd } from '../harness/program.js'
import { type AddedService, addService } from '../harness/service.js'

const protocol: Message = { protocol_version: 1 }
const dialled: DynamicClient[] = []
let folder: string
let meshDir: string

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'costate-test-'))
  meshDir = path.join(folder, 'mesh')
  await createMeshSecurity(meshDir)
})

afterEach(async () => {
  for (const client of dialled.splice(0)) client.close()
  await rm(folder, { recursive: true, force: true })
})

async function dial(address: string, role: string): Promise<DynamicClient> {
  const client = createDynamicClient(address, await readToken(meshDir, role))
  dialled.push(client)
  return client
}

/** A stream of a method, opened by the role that may, with its hello said. */
async function open(address: string, role: string, method: string, hello: Message): Promise<Conversation> {
  const stream = (await dial(address, role)).converse(method)
  stream.say(hello)
  return stream
}

const partingWord = { code: 'UNAVAILABLE', reason: 'SHUTTING_DOWN', domain: 'costate' }

test('a service that is told to end tells whoever has a stream open, and exits with 0', async () => {
  const store = await addService(meshDir, 'checkpoint-store')
  const scheduler = await addService(meshDir, 'scheduler')
  const worker = await addService(meshDir, 'worker')
  const schedulerAddress = await readServiceAddress(meshDir, 'scheduler')
  const storeAddress = await readServiceAddress(meshDir, 'checkpointStore')
  const workerAddress = await addressOfOneWorker(schedulerAddress)

  const sessionHello = { hello: { hello: protocol, session_id: randomUUID(), client_name: 'watcher' } }
  const transferHello = { frame: { transfer_id: 0, hello: protocol } }
  const session = await open(schedulerAddress, 'client', 'costate.scheduler.v1.SchedulerService/Session', sessionHello)
  const save = await open(storeAddress, 'client', 'costate.checkpoint.v1.CheckpointService/Save', transferHello)
  const load = await open(storeAddress, 'client', 'costate.checkpoint.v1.CheckpointService/Load', transferHello)
  const transfer = await open(workerAddress, 'client', 'costate.worker.v1.TransferService/Transfer', transferHello)
  await session.hear('welcome')
  for (const stream of [save, load, transfer]) await stream.hear('frame')

  const ends: readonly (readonly [AddedService, readonly Conversation[]])[] = [
    [worker, [transfer]],
    [store, [save, load]],
    [scheduler, [session]],
  ]
  for (const [service, streams] of ends) {
    expect(await service.stop()).toBe(0)
    for (const stream of streams) expect(await stream.ended).toMatchObject(partingWord)
  }
}, 30_000)

/** Waits for the mesh's worker by watching demand: no polling. */
async function addressOfOneWorker(schedulerAddress: string): Promise<string> {
  const method = 'costate.scheduler.v1.SchedulerService'
  const demand = await open(schedulerAddress, 'provisioner', `${method}/WatchDemand`, {})
  // A single request: the server answers when the client's side is closed.
  demand.end()
  for (let present = 0; present < 1;) present = (await demand.hear('present_workers')) as unknown as number
  demand.cancel()
  const { workers } = await (await dial(schedulerAddress, 'client')).call(`${method}/ListWorkers`)
  return (workers as { addresses: [string] }[])[0]?.addresses[0] ?? ''
}

const program = (service: string): string => path.join(packageRoot, 'dist', 'services', service, 'main.cjs')

test.each(['scheduler', 'worker', 'checkpoint-store', 'slurm-provisioner'])(
  '%s: an unknown flag ends it with 2 and the flag’s name',
  async (service) => {
    const { code, stderr } = await runToEnd(process.execPath, [program(service), '--mesh-dri', meshDir])
    expect(stderr).toContain('--mesh-dri')
    expect(code).toBe(2)
  },
)

test('a worker with a wrong secret is told so and ends with 5: its supervisor does not start it again', async () => {
  const scheduler = await addService(meshDir, 'scheduler')
  await writeFile(path.join(meshDir, 'tokens', 'worker'), 'not-the-token')
  const { code, stderr } = await runToEnd(process.execPath, [program('worker'), '--mesh-dir', meshDir])
  expect(stderr).toContain('the scheduler refused this worker')
  expect(code).toBe(5)
  await scheduler.stop()
})
