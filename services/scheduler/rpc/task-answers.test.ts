import { afterEach, beforeEach, expect, test } from 'vitest'

import { JobSpec, JobState, TaskSpec, TaskState } from '#libs/proto'
import { readRpcFailure } from '#libs/rpc'
import { encodePayload, encodeValue } from '#libs/value'

import { quiet, type Rim, startRim } from '../testing/rim.js'

let rim: Rim
beforeEach(async () => {
  rim = await startRim()
  const input = Buffer.from(encodePayload(encodeValue([1], 'the arguments')))
  const bundled = { function: { $case: 'bundled', value: { bundleDigest: 'a'.repeat(64), taskName: 'f' } } } as const
  const tasks = ['a', 'b'].map((name) => ({ ...TaskSpec.fromPartial({}), input, name }))
  const job = { ...JobSpec.fromPartial({}), jobId: 'j', functions: [bundled], tasks, seed: 7n }
  await rim.service.submitJob({ requestId: '', job, validateOnly: false }, context)
})
afterEach(async () => rim.loop.stop())

const context = { signal: new AbortController().signal } as never

test('a task is explained in a sentence', async () => {
  expect(await rim.service.explainTask({ taskId: 'j/1' }, context)).toEqual({
    taskId: 'j/1',
    state: TaskState.QUEUED,
    sentence: 'task j/1 (b) is number 2 of 2 in the queue of its job, where it has waited 0 ms: there is no worker',
  })
})

test('the story of a task comes in pages', async () => {
  rim.openLink({ workerId: 'w1' })
  await quiet()

  const first = await rim.service.getTaskStory({ taskId: 'j/0', pageSize: 1, pageToken: '' }, context)
  const pageToken = first.nextPageToken ?? ''
  const second = await rim.service.getTaskStory({ taskId: 'j/0', pageSize: 1, pageToken }, context)

  expect([...(first.lines ?? []), ...(second.lines ?? [])]).toMatchObject([
    { event: 'jobSubmitted', atMs: 1_000_000, attempt: 0, workerId: '' },
    { event: 'runTask', attempt: 1, workerId: 'w1' },
  ])
  expect(second.nextPageToken).toBe('')
})

test('the call of a task is what a worker is sent', async () => {
  expect(await rim.service.getTaskCall({ taskId: 'j/1' }, context)).toMatchObject({
    job: { jobId: 'j', seed: 7n, functions: [{ bundleDigest: 'a'.repeat(64), taskName: 'f' }] },
    task: { index: 1, function: 0, inputs: [] },
  })
})

test('what is no task is refused by each', async () => {
  const { service } = rim
  const page = { pageSize: 0, pageToken: '' }
  for (const answer of [
    service.explainTask({ taskId: 'j/2' }, context),
    service.getTaskStory({ taskId: 'j', ...page }, context),
    service.getTaskCall({ taskId: 'j/-1' }, context),
  ]) {
    const failure = await Promise.resolve(answer).catch(readRpcFailure)
    expect(failure).toMatchObject({ code: 'NOT_FOUND', reason: 'TASK_NOT_FOUND' })
  }
})

test('some tasks of a job are cancelled, and jobs are listed by their state', async () => {
  const { service } = rim
  await service.cancelJob({ jobId: 'j', requestId: '', reason: 'no need', indices: [1], etag: '' }, context)
  const listIn = async (state: JobState) =>
    (await service.listJobs({ pageSize: 0, pageToken: '', state, namePrefix: '' }, context)).jobs

  expect(await listIn(JobState.RUNNING)).toMatchObject([{ jobId: 'j', counts: { queued: 1, cancelled: 1 } }])
  expect(await listIn(JobState.CANCELLED)).toEqual([])
})
