import { join } from 'node:path'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { contractServices, findMethod, type Message } from '../harness/contract.js'
import {
  createDynamicClient,
  type DynamicClient,
  readServiceAddress,
  readToken,
  type RichError,
} from '../harness/dynamic-client.js'
import { type LocalMesh, rejectionOf, startLocalMesh } from '../harness/local-mesh.js'
import { quietSlurm } from '../harness/quiet-slurm.js'
import { type AddedService, addService } from '../harness/service.js'

const scheduler = 'costate.scheduler.v1.SchedulerService'
const checkpoints = 'costate.checkpoint.v1.CheckpointService'
const transfers = 'costate.worker.v1.TransferService'
const provisioner = 'costate.provisioner.v1.ProvisionerService'
const services = [scheduler, checkpoints, transfers, provisioner]

let mesh: LocalMesh
let added: AddedService
const addresses = new Map<string, string>()
const clients: DynamicClient[] = []

beforeAll(async () => {
  mesh = await startLocalMesh({ workers: 1 })
  const [worker] = await mesh.cluster.workers()
  addresses.set(scheduler, await readServiceAddress(mesh.meshDir, 'scheduler'))
  addresses.set(checkpoints, await readServiceAddress(mesh.meshDir, 'checkpointStore'))
  addresses.set(transfers, worker?.addresses[0] ?? '')
  const path = await quietSlurm(join(mesh.userDir, 'bin'))
  added = await addService(mesh.meshDir, 'slurm-provisioner', [], { PATH: path })
  addresses.set(provisioner, await readServiceAddress(mesh.meshDir, 'slurm-provisioner'))
})

afterAll(async () => {
  for (const client of clients) client.close()
  await added.stop()
  await mesh.close()
})

function dial(service: string, token?: string): DynamicClient {
  const client = createDynamicClient(addresses.get(service) ?? '', token)
  clients.push(client)
  return client
}

async function dialAs(role: string, service: string): Promise<DynamicClient> {
  return dial(service, await readToken(mesh.meshDir, role))
}

/** How a server answers a method that is called with nothing in it: an error, or nothing when it took the call. */
async function answerTo(client: DynamicClient, method: string): Promise<RichError | undefined> {
  if (!findMethod(method).requestStream && !findMethod(method).responseStream) {
    return await client.call(method).then(
      () => undefined,
      (error: unknown) => error as RichError,
    )
  }
  const stream = client.converse(method)
  if (!findMethod(method).requestStream) stream.say({})
  stream.end()
  const end = await stream.ended
  return end.code === 'OK' ? undefined : end
}

const served = services.flatMap((service) =>
  Object.keys(contractServices.get(service) ?? {}).map((method) => `${service}/${method}`),
)
/** What goes on until the caller has enough. */
const endless = served.filter((method) => /\/Watch(Demand|Checkpoints)$/.test(method))
const ending = served.filter((method) => !endless.includes(method))

test.each(ending)('%s is served, and nobody without a token may call it', async (method) => {
  const service = method.split('/')[0] ?? ''

  expect(await answerTo(dial(service), method)).toMatchObject({ code: 'UNAUTHENTICATED', domain: 'costate' })
  expect(await answerTo(dial(service, 'ct1.admin.AAAA'), method)).toMatchObject({ code: 'UNAUTHENTICATED' })
  const role = method.endsWith('/Link') ? 'worker' : 'client'
  const answer = await answerTo(await dialAs(role, service), method)
  expect(['UNIMPLEMENTED', 'UNAUTHENTICATED', 'PERMISSION_DENIED', 'INTERNAL', 'UNKNOWN']).not.toContain(answer?.code)
})

test.each(endless)('%s is refused to somebody without a token', async (method) => {
  const service = method.split('/')[0] ?? ''
  expect(await answerTo(dial(service), method)).toMatchObject({ code: 'UNAUTHENTICATED', domain: 'costate' })
  expect(await answerTo(dial(service, 'ct1.admin.AAAA'), method)).toMatchObject({ code: 'UNAUTHENTICATED' })
})

test('the level of demand is told at once', async () => {
  const stream = (await dialAs('provisioner', scheduler)).converse(`${scheduler}/WatchDemand`)
  stream.say({})
  stream.end()
  expect(await stream.hear('present_workers')).toBe(1)
  stream.cancel()
})

test.each([
  ['worker', 'SubmitJob'],
  ['worker', 'ListJobs'],
  ['observer', 'SubmitJob'],
  ['observer', 'CancelJob'],
  ['provisioner', 'GetTask'],
  ['client', 'Link'],
  ['scheduler', 'Session'],
])('a %s may not %s', async (role, method) => {
  const answer = await answerTo(await dialAs(role, scheduler), `${scheduler}/${method}`)

  expect(answer).toMatchObject({ code: 'PERMISSION_DENIED', domain: 'costate' })
})

test('an observer may look', async () => {
  expect(await (await dialAs('observer', scheduler)).call(`${scheduler}/ListWorkers`)).toMatchObject({
    workers: [{ state: 'WORKER_STATE_READY' }],
  })
})

test.each(services)('%s says that it serves to anybody of the mesh who asks', async (service) => {
  const stranger = dial(service).call('grpc.health.v1.Health/Check', { service: '' })
  expect(await rejectionOf(stranger)).toMatchObject({ code: 'UNAUTHENTICATED' })
  const client = await dialAs('observer', service)
  const check = (name: string): Promise<Message> => client.call('grpc.health.v1.Health/Check', { service: name })

  expect(await check('')).toEqual({ status: 'SERVING' })
  expect(await check(service)).toEqual({ status: 'SERVING' })
  expect(await rejectionOf(check('costate.v9.Nothing'))).toMatchObject({ code: 'NOT_FOUND' })
})

test.each(services)('%s names a method that it does not have', async (service) => {
  const client = await dialAs('client', service)
  const error = await rejectionOf(client.callRaw(`/${service}/Teleport`, Buffer.alloc(0)))

  expect(error).toMatchObject({ code: 'UNIMPLEMENTED', reason: 'UNKNOWN_METHOD', domain: 'costate' })
  expect(error.message).toContain(`/${service}/Teleport`)
})

test.each([
  ['a field that ends before its length', Buffer.from([0x0a, 0x7f, 0x01])],
  ['a wire type that does not exist', Buffer.from([0x0f])],
])('a malformed message, %s, is refused, and the server goes on', async (_what, bytes) => {
  const client = await dialAs('client', scheduler)
  const error = await rejectionOf(client.callRaw(`/${scheduler}/GetJob`, bytes))

  expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', domain: 'costate' })
  expect(await client.call(`${scheduler}/ListJobs`)).toMatchObject({ jobs: [] })
})

test.each([
  ['client', 'costate.scheduler.v1.SchedulerService/Session'],
  ['worker', 'costate.scheduler.v1.SchedulerService/Link'],
  ['client', 'costate.worker.v1.TransferService/Transfer'],
  ['client', 'costate.checkpoint.v1.CheckpointService/Save'],
  ['client', 'costate.checkpoint.v1.CheckpointService/Load'],
] as const)('as %s: a malformed message on %s ends that stream only', async (role, method) => {
  const [service = ''] = method.split('/')
  const client = await dialAs(role, service)
  const error = await rejectionOf(client.callRaw(`/${method}`, Buffer.from([0x0a, 0x7f, 0x01])))

  expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', domain: 'costate' })
  expect(await (await dialAs('client', scheduler)).call(`${scheduler}/ListWorkers`)).toMatchObject({
    workers: [expect.anything()],
  })
})

test('what a newer client says more is passed over', async () => {
  const client = await dialAs('client', scheduler)
  // Field 1000, text: no version of the contract has it yet.
  const unknown = Buffer.from([0xc2, 0x3e, 0x02, 0x68, 0x69])

  await expect(client.callRaw(`/${scheduler}/ListJobs`, unknown)).resolves.toBeInstanceOf(Buffer)
})
