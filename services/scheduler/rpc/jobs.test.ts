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
  await rim.service.persistJob({ jobId: 'j', name: 'pinned', requestId: '' }, context)
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
  const first = await rim.service.listJobs({ pageSize: 2, pageToken: '' }, context)
  expect(first.jobs?.map(({ jobId }) => jobId)).toEqual(['m', 'l'])
  for (const jobId of ['l', 'k'] as JobId[]) rim.loop.post({ kind: 'cancelRequested', jobId, reason: '' })
  rim.loop.post({ kind: 'timePassed' })
  await quiet()
  expect(rim.state.jobs.has('k' as JobId) && rim.state.jobs.has('l' as JobId)).toBe(false)
  const request = { pageSize: 2, pageToken: first.nextPageToken ?? '' }
  const second = await rim.service.listJobs(request, context)
  expect(second.jobs?.map(({ jobId }) => jobId)).toEqual([...rim.state.jobs.keys()].filter((id) => id < 'l').reverse())
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
  await service.persistJob({ jobId: 'j', name: 'Best so far', requestId: '' }, context)
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
  const cancel: CancelJobRequest = { jobId: 'j', requestId, reason: '' }
  for (const answer of [
    service.submitJob(submitOf('k', 1, { requestId }), context),
    service.cancelJob(cancel, context),
    service.persistJob({ jobId: 'j', name: 'n', requestId }, context),
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
