import { afterEach, beforeEach, expect, test } from 'vitest'

import type { ObjectId } from '#libs/domain'
import { JobSpec, type LinkRequest, ObjectDescriptor, TaskSpec, TaskState } from '#libs/proto'
import { readRpcFailure } from '#libs/rpc'
import { encodePayload, encodeValue } from '#libs/value'

import { quiet, type Rim, startRim } from '../testing/rim.js'

let rim: Rim
beforeEach(async () => {
  rim = await startRim()
})
afterEach(async () => rim.loop.stop())

const context = { signal: new AbortController().signal } as never
const timingsOf = async (jobId: string, page: { pageSize?: number; pageToken?: string } = {}) =>
  await rim.service.listTaskTimings({ jobId, pageSize: 0, pageToken: '', ...page }, context)

/** Submits tasks that take the results of others, by index. */
async function submit(jobId: string, inputs: readonly (readonly number[])[]): Promise<void> {
  const findReference = (value: object) => {
    const index = (value as { readonly input?: number }).input
    return index === undefined ? undefined : { target: { $case: 'taskIndex' as const, value: index }, shared: false }
  }
  const tasks = inputs.map((indices, index) => {
    const args = indices.map((input) => ({ input }))
    const input = Buffer.from(encodePayload(encodeValue(args, 'the arguments', { findReference })))
    return { ...TaskSpec.fromPartial({}), input, name: `task ${index}` }
  })
  const bundled = { function: { $case: 'bundled', value: { bundleDigest: 'a'.repeat(64), taskName: 'f' } } } as const
  const job = { ...JobSpec.fromPartial({}), jobId, functions: [bundled], tasks }
  await rim.service.submitJob({ requestId: '', job, validateOnly: false }, context)
  await quiet()
}

type End = Extract<NonNullable<LinkRequest['report']>, { $case: 'tasksEnded' }>['value']['tasks'][number]

function endOf(taskId: string, startedAtMs: number, endedAtMs: number, more: Partial<End> = {}): End {
  const attempt = { taskId, epoch: 1n, attempt: 1, running: false, behind: [] }
  const payload = Buffer.from(encodePayload(encodeValue(1, 'the result')))
  return {
    attempt,
    outcome: { $case: 'payload', value: payload },
    startedAtMs,
    endedAtMs,
    slot: 3,
    savedCheckpoint: false,
    ...more,
  }
}

test('a task says when it was ready, sent, run and settled, what it took and what it made', async () => {
  await submit('j', [[], [0]])
  rim.time.nowMs += 40
  const link = rim.openLink({ workerId: 'w1' })
  await quiet()
  rim.time.nowMs += 100
  const object = { ...ObjectDescriptor.fromPartial({}), objectId: 'j/0' as ObjectId, byteLength: 5_000n }
  link.say({
    $case: 'tasksEnded',
    value: { started: [], tasks: [endOf('j/0', 777, 877, { outcome: { $case: 'object', value: object } })] },
  })
  await quiet()
  rim.time.nowMs += 10
  link.say({ $case: 'tasksEnded', value: { started: [], tasks: [endOf('j/1', 888, 889, { fetchMs: 2.5 })] } })
  await quiet()

  const { timings, job, nextPageToken } = await timingsOf('j')

  expect(job).toMatchObject({ jobId: 'j' })
  expect(nextPageToken).toBe('')
  const common = { attempt: 1, workerId: 'w1', slot: 3, state: TaskState.FINISHED, parkedMs: 0, childJobIds: [] }
  expect(timings).toEqual([
    {
      ...{ index: 0, name: 'task 0', ...common, inputs: [], inputBytes: 0n, resultBytes: 5_000n, fetchMs: 0 },
      ...{ firstReadyAtMs: 1_000_000, readyAtMs: 1_000_000, sentAtMs: 1_000_040, startedAtMs: 777, endedAtMs: 877 },
      settledAtMs: 1_000_140,
    },
    {
      ...{ index: 1, name: 'task 1', ...common, inputs: [0], inputBytes: 5_000n, fetchMs: 2.5 },
      ...{ firstReadyAtMs: 1_000_140, readyAtMs: 1_000_140, sentAtMs: 1_000_140, startedAtMs: 888, endedAtMs: 889 },
      ...{ settledAtMs: 1_000_150, resultBytes: expect.any(BigInt) as bigint },
    },
  ])
  expect((await rim.service.getTaskStory({ taskId: 'j/1', pageSize: 0, pageToken: '' }, context)).lines).toContainEqual(
    expect.objectContaining({ event: 'inputsFetched', text: 'w1 had its inputs after 3 ms' }),
  )
})

test('timings come in pages that follow each other', async () => {
  await submit('j', [[], [], [], [], []])
  const indices: number[][] = []
  let pageToken = ''
  do {
    const page = await timingsOf('j', { pageSize: 2, pageToken })
    indices.push((page.timings ?? []).map(({ index }) => index ?? 0))
    pageToken = page.nextPageToken ?? ''
  } while (pageToken !== '')
  expect(indices).toEqual([[0, 1], [2, 3], [4]])
})

test('a task that waits says since when it is ready', async () => {
  await submit('j', [[], [0]])
  const { timings } = await timingsOf('j')
  expect(timings).toMatchObject([
    { state: TaskState.QUEUED, readyAtMs: 1_000_000, sentAtMs: 0, startedAtMs: 0, attempt: 0, workerId: '' },
    { state: TaskState.WAITING, readyAtMs: 0, sentAtMs: 0, inputs: [0] },
  ])
})

test('a job that nobody knows, and a token of another list, are refused', async () => {
  const failure = await timingsOf('nobody').catch(readRpcFailure)
  expect(failure).toMatchObject({ code: 'NOT_FOUND', reason: 'JOB_NOT_FOUND' })
  await submit('j', [[]])
  const bad = await timingsOf('j', { pageToken: 'nonsense' }).catch(readRpcFailure)
  expect(bad).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'BAD_PAGE_TOKEN' })
})
