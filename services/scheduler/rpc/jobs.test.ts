import { afterEach, beforeEach, expect, test } from 'vitest'

import type { JobId, WorkerId } from '#libs/domain'
import {
  CancelJobRequest,
  JobSpec,
  JobState,
  ListTasksRequest,
  SubmitJobRequest,
  TaskSpec,
  TaskState,
  WorkerState,
} from '#libs/proto'
import { readRpcFailure } from '#libs/rpc'
import { encodePayload, encodeValue } from '#libs/value'

import { quiet, type Rim, sessionIdOf, startRim } from '../testing/rim.js'

let rim: Rim
beforeEach(async () => {
  rim = await startRim({ maxSettledJobs: 1 })
})
afterEach(async () => rim.loop.stop())

const context = { signal: new AbortController().signal } as never
const input = Buffer.from(encodePayload(encodeValue([1], 'the arguments')))
const bundled = { function: { $case: 'bundled', value: { bundleDigest: 'a'.repeat(64), taskName: 'f' } } } as const

function submitOf(jobId: string, count = 1, change: Partial<SubmitJobRequest> = {}): SubmitJobRequest {
  const tasks = Array.from({ length: count }, () => ({ ...TaskSpec.fromPartial({}), input }))
  const job = { ...JobSpec.fromPartial({}), jobId, functions: [bundled], tasks }
  return { requestId: '', job, validateOnly: false, ...change }
}

async function refusalOf(answer: unknown): Promise<unknown> {
  try {
    await answer
  } catch (error) {
    return readRpcFailure(error)
  }
  return 'no refusal'
}

const finish = (index: number): void =>
  rim.loop.post({
    kind: 'tasksEnded',
    workerId: 'w1' as WorkerId,
    ends: [
      {
        jobId: 'j' as JobId,
        index,
        epoch: 1,
        attempt: 1,
        outcome: { kind: 'finished', result: { kind: 'inline', payload: Buffer.alloc(1) } },
        startedAtMs: 0,
        endedAtMs: 1,
        slot: 0,
      },
    ],
  })

test('a check alone refuses what a submit would, and submits nothing', async () => {
  const { service, state } = rim
  await service.submitJob(submitOf('j', 1, { validateOnly: true }), context)
  expect(state.jobs.size).toBe(0)
  await service.submitJob(submitOf('j'), context)
  expect(await refusalOf(service.submitJob(submitOf('j', 1, { validateOnly: true }), context))).toMatchObject({
    code: 'ALREADY_EXISTS',
    reason: 'JOB_EXISTS',
  })
})

test('waiting for a job by the name that it is pinned under ends with the job', async () => {
  rim.openLink({ workerId: 'w1' })
  await rim.service.submitJob(submitOf('j'), context)
  await rim.service.persistJob({ jobId: 'j', name: 'pinned', requestId: '', etag: '' }, context)
  await quiet()
  const waiting = rim.service.waitJob({ jobId: 'pinned', timeout: { seconds: 300n, nanos: 0 } }, context)
  finish(0)
  expect((await waiting).job).toMatchObject({ jobId: 'j', state: JobState.FINISHED })
})

test('a wait that is over says how far the job is, whatever its time is written like', async () => {
  await rim.service.submitJob(submitOf('j'), context)
  for (const timeout of [
    { seconds: 0n, nanos: 0 },
    { seconds: 0n, nanos: 1_500_000 },
    { seconds: -5n, nanos: 0 },
  ]) {
    expect((await rim.service.waitJob({ jobId: 'j', timeout }, context)).job).toMatchObject({ state: JobState.RUNNING })
  }
})

test('jobs are listed newest first, whatever is forgotten between two pages', async () => {
  rim.openLink({ workerId: 'w1' })
  for (const name of ['j', 'k', 'l', 'm']) await rim.service.submitJob(submitOf(name), context)
  const first = await rim.service.listJobs(
    { pageSize: 2, pageToken: '', state: JobState.UNSPECIFIED, namePrefix: '' },
    context,
  )
  expect(first.jobs?.map(({ jobId }) => jobId)).toEqual(['m', 'l'])
  for (const jobId of ['l', 'k'] as JobId[]) rim.loop.post({ kind: 'cancelRequested', jobId, reason: '' })
  rim.loop.post({ kind: 'timePassed' })
  await quiet()
  expect(rim.state.jobs.has('k' as JobId) && rim.state.jobs.has('l' as JobId)).toBe(false)
  const request = { pageSize: 2, pageToken: first.nextPageToken ?? '', state: JobState.UNSPECIFIED, namePrefix: '' }
  const second = await rim.service.listJobs(request, context)
  // What is left of a forgotten one is a record, which is listed, too.
  expect(second.jobs?.map(({ jobId }) => jobId)).toEqual(['k', 'j'])
})

test('tasks of one state are listed by index, though they change it between two pages', async () => {
  rim.openLink({ workerId: 'w1', slots: 5 })
  await rim.service.submitJob(submitOf('j', 5), context)
  await quiet()
  const request: ListTasksRequest = { jobId: 'j', state: TaskState.ASSIGNED, pageSize: 2, pageToken: '' }
  const first = await rim.service.listTasks(request, context)
  expect(first.tasks?.map(({ taskId }) => taskId)).toEqual(['j/0', 'j/1'])
  finish(1)
  finish(3)
  await quiet()
  const second = await rim.service.listTasks({ ...request, pageToken: first.nextPageToken ?? '' }, context)
  expect(second.tasks?.map(({ taskId }) => taskId)).toEqual(['j/2', 'j/4'])
})

test('a task is found by the id of its job and by the name that it is pinned under', async () => {
  const { service } = rim
  await service.submitJob(submitOf('j'), context)
  await service.persistJob({ jobId: 'j', name: 'Best so far', requestId: '', etag: '' }, context)
  for (const taskId of ['j/0', 'Best so far/0']) {
    expect((await service.getTask({ taskId }, context)).task).toMatchObject({ taskId: 'j/0' })
  }
  for (const taskId of ['j/1', 'j', 'j/x', 'unknown/0', '']) {
    expect(await refusalOf(service.getTask({ taskId }, context))).toMatchObject({ code: 'NOT_FOUND' })
  }
})

test('a request id that is no UUID is refused by every call that has one', async () => {
  const { service } = rim
  await service.submitJob(submitOf('j', 1, { requestId: sessionIdOf(1) }), context)
  const requestId = 'twice'
  const task = { name: 'n', version: '1', function: { bundleDigest: 'a'.repeat(64), taskName: 'f' } }
  const cancel: CancelJobRequest = { jobId: 'j', requestId, reason: '', etag: '', indices: [] }
  for (const answer of [
    service.submitJob(submitOf('k', 1, { requestId }), context),
    service.cancelJob(cancel, context),
    service.persistJob({ jobId: 'j', name: 'n', requestId, etag: '' }, context),
    service.registerTask({ requestId, task }, context),
    service.drainWorker({ workerId: 'w1', requestId, onlyIfIdle: false }, context),
  ]) {
    expect(await refusalOf(answer)).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'BAD_REQUEST_ID' })
  }
})

test('registered tasks are listed by name and version', async () => {
  const { service } = rim
  for (const [name, version] of [
    ['solve', '2'],
    ['fit', '1'],
    ['solve', '1'],
  ] as const) {
    const task = { name, version, function: { bundleDigest: 'a'.repeat(64), taskName: 'f' } }
    await service.registerTask({ requestId: '', task }, context)
  }
  const { tasks } = await service.listRegisteredTasks({ pageSize: 0, pageToken: '' }, context)
  expect(tasks?.map(({ name, version }) => `${name}@${version}`)).toEqual(['fit@1', 'solve@1', 'solve@2'])
})

test('jobs are listed by state and by the beginning of their name', async () => {
  const { service } = rim
  rim.openLink({ workerId: 'w1' })
  for (const name of ['sweep a', 'sweep b', 'other']) {
    const request = submitOf(name.replace(' ', '-'))
    await service.submitJob({ ...request, job: JobSpec.fromPartial({ ...request.job, name }) }, context)
  }
  await service.cancelJob({ jobId: 'sweep-a', requestId: '', reason: '', etag: '', indices: [] }, context)
  const page = { pageSize: 0, pageToken: '' }
  const named = await service.listJobs({ ...page, state: JobState.UNSPECIFIED, namePrefix: 'sweep ' }, context)
  expect(named.jobs?.map(({ jobId }) => jobId)).toEqual(['sweep-b', 'sweep-a'])
  const cancelled = await service.listJobs({ ...page, state: JobState.CANCELLED, namePrefix: '' }, context)
  expect(cancelled.jobs?.map(({ jobId }) => jobId)).toEqual(['sweep-a'])
})

test('a repeated drain gets the first answer, though the worker has left', async () => {
  const { service } = rim
  const link = rim.openLink({ workerId: 'w1' })
  await quiet()
  const request = { workerId: 'w1', requestId: sessionIdOf(7), onlyIfIdle: false }
  const first = await service.drainWorker(request, context)
  expect(first.worker).toMatchObject({ workerId: 'w1', state: WorkerState.DRAINING })
  link.say({ $case: 'goodbye', value: { reason: 'drained' } })
  link.close()
  await quiet()
  expect(rim.state.workers.size).toBe(0)
  expect(await service.drainWorker(request, context)).toEqual(first)
  expect(await refusalOf(service.drainWorker({ ...request, requestId: sessionIdOf(8) }, context))).toMatchObject({
    code: 'NOT_FOUND',
    resource: { type: 'costate.worker', name: 'w1' },
  })
})

test('a request id that was used for something else is refused', async () => {
  const { service } = rim
  for (const jobId of ['j', 'k']) await service.submitJob(submitOf(jobId), context)
  const cancel: CancelJobRequest = { jobId: 'j', requestId: sessionIdOf(7), reason: '', etag: '', indices: [] }
  await service.cancelJob(cancel, context)
  await service.cancelJob(cancel, context)
  expect(await refusalOf(service.cancelJob({ ...cancel, jobId: 'k' }, context))).toMatchObject({
    code: 'INVALID_ARGUMENT',
    reason: 'REQUEST_ID_REUSED',
    fieldViolations: [{ field: 'request_id' }],
  })
})

test('who acts on a job as it was seen is refused when it has changed', async () => {
  const { service } = rim
  await service.submitJob(submitOf('j'), context)
  const etag = (await service.getJob({ jobId: 'j' }, context)).job?.etag ?? ''
  const pinned = await service.persistJob({ jobId: 'j', name: 'best', requestId: '', etag }, context)
  expect(pinned.job?.etag).not.toBe(etag)
  const cancel: CancelJobRequest = { jobId: 'j', requestId: '', reason: '', etag, indices: [] }
  expect(await refusalOf(service.cancelJob(cancel, context))).toMatchObject({
    code: 'ABORTED',
    reason: 'ETAG_MISMATCH',
  })
  expect(await refusalOf(service.persistJob({ ...cancel, name: 'b' }, context))).toMatchObject({ code: 'ABORTED' })
  const { job } = await service.cancelJob({ ...cancel, etag: pinned.job?.etag ?? '' }, context)
  expect(job?.state).toBe(JobState.CANCELLED)
})

test('a reason is short, and a name is there', async () => {
  const { service } = rim
  await service.submitJob(submitOf('j'), context)
  const long: CancelJobRequest = { jobId: 'j', requestId: '', reason: 'x'.repeat(1_025), etag: '', indices: [] }
  expect(await refusalOf(service.cancelJob(long, context))).toMatchObject({ fieldViolations: [{ field: 'reason' }] })
  const unnamed = { jobId: 'j', name: '', requestId: '', etag: '' }
  expect(await refusalOf(service.persistJob(unnamed, context))).toMatchObject({
    reason: 'BAD_NAME',
    fieldViolations: [{ field: 'name' }],
  })
})

test('a job is followed without a session, from what it is now to its end', async () => {
  const { service } = rim
  await service.submitJob(submitOf('j', 2), context)
  const watch = service.watchJob({ jobId: 'j' }, { signal: new AbortController().signal } as never)
  const jobs = watch[Symbol.asyncIterator]()
  const next = async () => ((await jobs.next()) as { value?: { job?: unknown } }).value?.job
  expect(await next()).toMatchObject({ state: JobState.RUNNING, counts: { queued: 2 } })
  rim.openLink({ workerId: 'w1', slots: 2 })
  expect(await next()).toMatchObject({ counts: { queued: 0, running: 2 } })
  finish(0)
  expect(await next()).toMatchObject({ counts: { running: 1, finished: 1 } })
  finish(1)
  expect(await next()).toMatchObject({ state: JobState.FINISHED, counts: { running: 0, finished: 2 } })
  expect(await jobs.next()).toMatchObject({ done: true })
})

test('a watch of a job that is unknown is refused, and one that is cut ends', async () => {
  const { service } = rim
  const unknown = service.watchJob({ jobId: 'j' }, { signal: new AbortController().signal } as never)
  expect(await refusalOf(unknown[Symbol.asyncIterator]().next() as Promise<unknown>)).toMatchObject({
    code: 'NOT_FOUND',
  })
  await service.submitJob(submitOf('j'), context)
  const cutting = new AbortController()
  const jobs = service.watchJob({ jobId: 'j' }, { signal: cutting.signal } as never)[Symbol.asyncIterator]()
  await jobs.next()
  const end = jobs.next()
  cutting.abort()
  expect(await end).toMatchObject({ done: true })
})
