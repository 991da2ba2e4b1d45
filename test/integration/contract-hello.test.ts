import { randomUUID } from 'node:crypto'

import type { Task } from 'costate'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { encodeMessage, type Message } from '../harness/contract.js'
import {
  type Conversation,
  createDynamicClient,
  type DynamicClient,
  readServiceAddress,
  readToken,
} from '../harness/dynamic-client.js'
import { type LocalMesh, startLocalMesh } from '../harness/local-mesh.js'

const session = 'costate.scheduler.v1.SchedulerService/Session'
const link = 'costate.scheduler.v1.SchedulerService/Link'
const transfer = 'costate.worker.v1.TransferService/Transfer'
const save = 'costate.checkpoint.v1.CheckpointService/Save'
const load = 'costate.checkpoint.v1.CheckpointService/Load'

let mesh: LocalMesh
const clients = new Map<string, DynamicClient>()

beforeAll(async () => {
  mesh = await startLocalMesh({ workers: 1 })
  const scheduler = await readServiceAddress(mesh.meshDir, 'scheduler')
  const store = await readServiceAddress(mesh.meshDir, 'checkpointStore')
  const [worker] = await mesh.cluster.workers()
  const asClient = await readToken(mesh.meshDir, 'client')
  clients.set(session, createDynamicClient(scheduler, asClient))
  clients.set(link, createDynamicClient(scheduler, await readToken(mesh.meshDir, 'worker')))
  clients.set(transfer, createDynamicClient(worker?.addresses[0] ?? '', asClient))
  clients.set(save, createDynamicClient(store, asClient))
  clients.set(load, createDynamicClient(store, asClient))
})

afterAll(async () => {
  for (const client of clients.values()) client.close()
  await mesh.close()
})

function converse(method: string): Conversation {
  const client = clients.get(method)
  if (client === undefined) throw new Error(`nobody dials ${method}`)
  return client.converse(method)
}

/** The first message of each long stream, with the versions of whoever dials. */
const hellos: readonly (readonly [method: string, self: string, say: (hello: Message) => Message])[] = [
  [session, 'the scheduler', (hello) => ({ hello: { hello, session_id: randomUUID(), client_name: 'contract' } })],
  [
    link,
    'the scheduler',
    (hello) => ({ hello: { hello, worker_id: `w-${randomUUID()}`, slots: 0, addresses: ['127.0.0.1:1'] } }),
  ],
  [transfer, 'worker w-', (hello) => ({ frame: { transfer_id: 0, hello } })],
  [save, 'the checkpoint-store', (hello) => ({ frame: { transfer_id: 0, hello } })],
  [load, 'the checkpoint-store', (hello) => ({ frame: { transfer_id: 0, hello } })],
]

test.each(hellos)(
  '%s: ends of different versions part, and the older is told to upgrade',
  async (method, self, say) => {
    for (const version of [0, 99]) {
      const stream = converse(method)
      stream.say(say({ protocol_version: version, package_version: '99.0.0' }))
      const end = await stream.ended

      expect(end).toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'PROTOCOL_MISMATCH', domain: 'costate' })
      expect(end.message).toContain(`speaks protocol ${version} (costate 99.0.0)`)
      const toUpgrade = end.message.split(': upgrade ')[1]
      if (version > 1) expect(toUpgrade).toContain(self)
      else expect(toUpgrade).not.toContain(self)
    }
  },
)

test.each([
  [session, { heartbeat: {} }],
  [link, { goodbye: { reason: 'early' } }],
  [transfer, { frame: { transfer_id: 1, open: { direction: 'TRANSFER_DIRECTION_GET', object_id: 'x' } } }],
  [save, { frame: { transfer_id: 1, commit: {} } }],
  [load, { frame: { transfer_id: 1, credit: { bytes: '1' } } }],
])('%s: who does not say hello first is not served', async (method, message) => {
  const stream = converse(method)
  stream.say(message)

  expect(await stream.ended).toMatchObject({
    code: expect.stringMatching(/^(INVALID_ARGUMENT|FAILED_PRECONDITION)$/) as string,
    reason: 'NO_HELLO',
    domain: 'costate',
  })
})

test('a session: welcome, submit, acknowledgement, settle, and a refusal that does not end it', async () => {
  const { constant } = await mesh.importModule<{ constant: Task<[], number> }>(
    'tasks.mjs',
    `import { task } from 'costate'
     export const constant = task(import.meta, 'constant', async () => 42)`,
  )
  await mesh.cluster.register(constant, { name: 'constant', version: '1' })
  const stream = converse(session)
  stream.say({
    hello: { hello: { protocol_version: 1 }, session_id: randomUUID(), client_name: 'contract' },
  })
  expect(await stream.hear('welcome')).toMatchObject({ hello: { protocol_version: 1 }, mesh_name: 'test' })

  stream.say({ submit: { request_id: randomUUID(), job: { tasks: [] } } })
  expect(await stream.hear('refused')).toMatchObject({ code: 3, reason: 'NO_TASKS' })

  const input = encodeMessage('costate.types.v1.Payload', { root: { list: { values: [] } } })
  const functions = [{ registered: { name: 'constant' } }]
  const requestId = randomUUID()
  stream.say({ submit: { request_id: requestId, job: { job_id: 'by-session', functions, tasks: [{ input }] } } })
  expect(await stream.hear('submitted')).toMatchObject({ request_id: requestId, receipt: { job_id: 'by-session' } })
  expect(await stream.hear('settled')).toMatchObject({
    job_id: 'by-session',
    tasks: [{ index: 0, result: { payload: expect.any(Buffer) as Buffer } }],
  })

  stream.end()
  expect(await stream.ended).toMatchObject({ code: 'OK' })
})

test('a transfer of what nobody has is given up, and the stream goes on', async () => {
  const stream = converse(transfer)
  stream.say({ frame: { transfer_id: 0, hello: { protocol_version: 1 } } })
  expect(await stream.hear('frame')).toMatchObject({ hello: { protocol_version: 1 } })

  for (const transferId of [1, 2]) {
    stream.say({
      frame: { transfer_id: transferId, open: { direction: 'TRANSFER_DIRECTION_GET', object_id: 'o-nowhere' } },
    })
    expect(await stream.hear('frame')).toMatchObject({
      transfer_id: transferId,
      abort: { code: 5, reason: 'OBJECT_NOT_FOUND' },
    })
  }

  stream.end()
  expect(await stream.ended).toMatchObject({ code: 'OK' })
})
