import { randomUUID } from 'node:crypto'
import path from 'node:path'

import type { Task } from 'costate'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { decodeMessage, encodeMessage, type Message } from '../harness/contract.js'
import { createDynamicClient, type DynamicClient, readServiceAddress, readToken } from '../harness/dynamic-client.js'
import { type LocalMesh, rejectionOf, startLocalMesh } from '../harness/local-mesh.js'
import { waitForFile } from '../harness/marker-file.js'

const tasksSource = `
import { writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { task } from 'costate'
export const scale = task(import.meta, 'scale', async (xs, by) => xs.map((x) => x * by))
export const fail = task(import.meta, 'fail', async () => { throw new RangeError('the step is too long') })
export const block = task(import.meta, 'block', async (marker, ctx) => {
  writeFileSync(marker, '')
  await once(ctx.signal, 'abort')
})
`

const service = 'costate.scheduler.v1.SchedulerService'
let mesh: LocalMesh
let client: DynamicClient

beforeAll(async () => {
  mesh = await startLocalMesh({ workers: 1, threadsPerWorker: 2 })
  client = createDynamicClient(
    await readServiceAddress(mesh.meshDir, 'scheduler'),
    await readToken(mesh.meshDir, 'client'),
  )
  const tasks = await mesh.importModule<Record<string, Task<never, unknown>>>('tasks.mjs', tasksSource)
  for (const [name, task] of Object.entries(tasks)) await mesh.cluster.register(task, { name, version: '1' })
})

afterAll(async () => {
  client.close()
  await mesh.close()
})

const call = (method: string, request: Message = {}): Promise<Message> => client.call(`${service}/${method}`, request)

/** Arguments of a task as they travel: a list whose arrays lie in the body. */
function argumentsOf(values: readonly Message[], body = Buffer.alloc(0)): Buffer {
  return encodeMessage('costate.types.v1.Payload', { root: { list: { values } }, body })
}

function jobOf(name: string, inputs: readonly Buffer[], more: Message = {}): Message {
  const functions = [{ registered: { name, version: '1' } }]
  return { name: `contract ${name}`, functions, tasks: inputs.map((input) => ({ function: 0, input })), ...more }
}

async function submit(job: Message, requestId: string = randomUUID()): Promise<string> {
  const { receipt } = await call('SubmitJob', { request_id: requestId, job })
  return (receipt as { job_id: string }).job_id
}

async function finish(jobId: string): Promise<Message> {
  return (await call('WaitJob', { job_id: jobId, timeout: { seconds: '20' } }))['job'] as Message
}

/** A job whose one task runs, says so, and ends only when it is cancelled. */
async function submitBlocking(more: Message = {}): Promise<string> {
  const marker = path.join(mesh.userDir, randomUUID())
  const jobId = await submit(jobOf('block', [argumentsOf([{ text: marker }])], more))
  await waitForFile(marker)
  return jobId
}

test('a registered task is submitted, waited for, and its numbers come back bit for bit', async () => {
  const numbers = Float64Array.from([1.5, -0, NaN, Infinity, 5e-324])
  const tensor = { element_type: 'ELEMENT_TYPE_FLOAT64', shape: ['5'], offset: '0', byte_length: '40' }
  const input = argumentsOf([{ tensor }, { number: 2 }], Buffer.from(numbers.buffer))

  const jobId = await submit(jobOf('scale', [input]))
  expect(await finish(jobId)).toMatchObject({ state: 'JOB_STATE_FINISHED', counts: { finished: 1 } })

  const { task } = (await call('GetTask', { task_id: `${jobId}/0` })) as {
    task: { state: string; result: { payload: Buffer } }
  }
  expect(task.state).toBe('TASK_STATE_FINISHED')
  const { root, body } = decodeMessage('costate.types.v1.Payload', task.result.payload)
  expect(root).toMatchObject({ tensor: { ...tensor, offset: '0' } })
  expect(body).toEqual(Buffer.from(numbers.map((x) => x * 2).buffer))
})

test('the answer to a submit says how safe it is, and the job is there at once', async () => {
  const { receipt } = await call('SubmitJob', { request_id: randomUUID(), job: jobOf('fail', [argumentsOf([])]) })

  expect(receipt).toMatchObject({ durability: expect.stringMatching(/^DURABILITY_(MEMORY|FSYNCED)$/) as string })
  const { job_id: jobId } = receipt as { job_id: string }
  expect((await call('GetJob', { job_id: jobId }))['job']).toMatchObject({ job_id: jobId, name: 'contract fail' })
})

test('a task that failed is data: the calls succeed, the failure is in the task', async () => {
  const jobId = await submit(jobOf('fail', [argumentsOf([])]))

  expect(await finish(jobId)).toMatchObject({ state: 'JOB_STATE_FAILED', counts: { failed: 1 } })
  const { task } = await call('GetTask', { task_id: `${jobId}/0` })
  expect(task).toMatchObject({
    state: 'TASK_STATE_FAILED',
    failure: {
      kind: 'FAILURE_KIND_USER_ERROR',
      error_name: 'RangeError',
      message: 'the step is too long',
      attempts: 1,
    },
  })
})

test('a running job is cancelled', async () => {
  const jobId = await submitBlocking()
  expect((await call('GetJob', { job_id: jobId }))['job']).toMatchObject({ state: 'JOB_STATE_RUNNING' })

  const { job } = await call('CancelJob', { job_id: jobId, request_id: randomUUID(), reason: 'seen enough' })

  expect(job).toMatchObject({ state: 'JOB_STATE_CANCELLED', counts: { cancelled: 1 } })
  const { task } = await call('GetTask', { task_id: `${jobId}/0` })
  expect(task).toMatchObject({
    state: 'TASK_STATE_CANCELLED',
    failure: { kind: 'FAILURE_KIND_CANCELLED', message: expect.stringContaining('seen enough') as string },
  })
})

test('a wait that is over before the job says how far the job is', async () => {
  const jobId = await submitBlocking()

  const { job } = await call('WaitJob', { job_id: jobId, timeout: { nanos: 1_000_000 } })

  expect(job).toMatchObject({ state: 'JOB_STATE_RUNNING', counts: { running: 1 } })
  await call('CancelJob', { job_id: jobId })
})

test('a request id that comes again gets the first answer, also while the first is under way', async () => {
  const requestId = randomUUID()
  const job = jobOf('fail', [argumentsOf([])])

  const atOnce = await Promise.all([submit(job, requestId), submit(job, requestId)])
  const later = await submit(job, requestId.toUpperCase())

  expect(new Set([...atOnce, later]).size).toBe(1)
  expect(await submit(job)).not.toBe(later)
})

test('validate_only checks a job and does not run it', async () => {
  const job = jobOf('fail', [argumentsOf([])], { job_id: 'only-checked' })
  await call('SubmitJob', { request_id: randomUUID(), job, validate_only: true })

  expect(await rejectionOf(call('GetJob', { job_id: 'only-checked' }))).toMatchObject({ code: 'NOT_FOUND' })
  const wrong = call('SubmitJob', { job: { ...job, tasks: [] }, validate_only: true })
  expect(await rejectionOf(wrong)).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'NO_TASKS' })
})

test('jobs are listed newest first, page by page, and new ones in between disturb nobody', async () => {
  const jobIds: string[] = []
  for (let i = 0; i < 5; i++) jobIds.push(await submit(jobOf('fail', [argumentsOf([])])))
  const first = await call('ListJobs', { page_size: 2 })
  await submit(jobOf('fail', [argumentsOf([])]))
  const second = await call('ListJobs', { page_size: 2, page_token: first['next_page_token'] })

  const listed = [first, second].flatMap(({ jobs }) => (jobs as { job_id: string }[]).map(({ job_id }) => job_id))
  expect(listed).toEqual(jobIds.slice(1).reverse())
})

test('tasks are listed by index and by state, page by page', async () => {
  const jobId = await submit(jobOf('fail', Array<Buffer>(5).fill(argumentsOf([]))))
  await finish(jobId)
  const indices: string[] = []
  let pageToken: unknown = ''
  do {
    const page = await call('ListTasks', {
      job_id: jobId,
      state: 'TASK_STATE_FAILED',
      page_size: 2,
      page_token: pageToken,
    })
    indices.push(...(page['tasks'] as { task_id: string }[]).map(({ task_id }) => task_id.split('/')[1] ?? ''))
    pageToken = page['next_page_token']
  } while (pageToken !== '')

  expect(indices).toEqual(['0', '1', '2', '3', '4'])
  const finished = await call('ListTasks', { job_id: jobId, state: 'TASK_STATE_FINISHED' })
  expect(finished).toMatchObject({ tasks: [], next_page_token: '' })
})

test('a page token that no server made is refused', async () => {
  expect(await rejectionOf(call('ListJobs', { page_token: 'guessed' }))).toMatchObject({
    code: 'INVALID_ARGUMENT',
    reason: 'BAD_PAGE_TOKEN',
    domain: 'costate',
  })
})

test('workers and registered tasks are listed', async () => {
  const { workers } = await call('ListWorkers')
  const { tasks } = await call('ListRegisteredTasks')

  expect(workers).toMatchObject([
    { state: 'WORKER_STATE_READY', slots: 2, addresses: [expect.stringMatching(/:\d+$/)] },
  ])
  expect((tasks as Message[]).map(({ name, version }) => [name, version])).toEqual([
    ['block', '1'],
    ['fail', '1'],
    ['scale', '1'],
  ])
})

test('registering the same again is no error, another function under the same version is', async () => {
  const { tasks } = (await call('ListRegisteredTasks')) as { tasks: { name: string; function: Message }[] }
  const [block, fail] = tasks as [(typeof tasks)[0], (typeof tasks)[0]]

  expect(await call('RegisterTask', { task: block })).toMatchObject({ task: block })
  const other = call('RegisterTask', { task: { ...block, function: fail.function } })
  expect(await rejectionOf(other)).toMatchObject({ code: 'ALREADY_EXISTS', domain: 'costate' })
})

test.each([
  ['GetJob', { job_id: 'j-nowhere' }, 'NOT_FOUND', 'JOB_NOT_FOUND'],
  ['WaitJob', { job_id: 'j-nowhere' }, 'NOT_FOUND', 'JOB_NOT_FOUND'],
  ['CancelJob', { job_id: 'j-nowhere' }, 'NOT_FOUND', 'JOB_NOT_FOUND'],
  ['GetTask', { task_id: 'j-nowhere/0' }, 'NOT_FOUND', 'JOB_NOT_FOUND'],
  ['GetTask', { task_id: 'nonsense' }, 'NOT_FOUND', 'TASK_NOT_FOUND'],
  ['DrainWorker', { worker_id: 'w-nowhere' }, 'NOT_FOUND', 'WORKER_NOT_FOUND'],
  ['PersistJob', { job_id: 'j-nowhere', name: '' }, 'INVALID_ARGUMENT', 'BAD_NAME'],
  ['SubmitJob', { request_id: randomUUID() }, 'INVALID_ARGUMENT', 'NO_JOB'],
])('%s of %j is refused with %s and the reason %s', async (method, request, code, reason) => {
  const error = await rejectionOf(call(method, request))

  expect(error).toMatchObject({ code, reason, domain: 'costate' })
})

test.each([
  ['job.job_id', { job_id: 'Not An Id' }],
  ['job.functions[0]', { functions: [{ bundled: { bundle_digest: 'x', task_name: 'solve' } }] }],
  ['job.tasks[0].input', { tasks: [{ function: 0, input: Buffer.from('not a payload') }] }],
  ['job.tasks', { tasks: [] }],
])('a job with a wrong %s is refused, and the details name the field', async (field, wrong) => {
  const error = await rejectionOf(call('SubmitJob', { job: { ...jobOf('fail', [argumentsOf([])]), ...wrong } }))

  expect(error).toMatchObject({ domain: 'costate', fieldViolations: [{ field }] })
})

test('a registered task that is not there is named, with those that are', async () => {
  const job = { ...jobOf('fail', [argumentsOf([])]), functions: [{ registered: { name: 'nobody' } }] }
  const error = await rejectionOf(call('SubmitJob', { job }))

  expect(error).toMatchObject({ code: 'NOT_FOUND', reason: 'TASK_NOT_REGISTERED', domain: 'costate' })
  expect(error.message).toContain('scale@1')
})

test('an error names what it is about, for programs', async () => {
  const error = await rejectionOf(call('GetJob', { job_id: 'j-nowhere' }))

  expect(error).toMatchObject({
    message: expect.stringContaining('j-nowhere') as string,
    metadata: { jobId: 'j-nowhere' },
  })
})
