import { afterEach, beforeEach, expect, test } from 'vitest'

import type { JobId, TaskFailure, WorkerId } from '#libs/domain'
import {
  CancelJobRequest,
  FailureKind,
  JobSpec,
  type JobSpec as WireJobSpec,
  TaskSpec,
  TaskState,
  WorkerState,
} from '#libs/proto'
import { encodePayload, encodeValue } from '#libs/value'

import { type Rim, startRim } from '../testing/rim.js'

let rim: Rim
beforeEach(async () => {
  rim = await startRim()
})
afterEach(async () => rim.loop.stop())

const context = { signal: new AbortController().signal } as never
const input = Buffer.from(encodePayload(encodeValue([1], 'the arguments')))
const bundled = { function: { $case: 'bundled', value: { bundleDigest: 'a'.repeat(64), taskName: 'f' } } } as const

async function submit(jobId: string, change: Partial<WireJobSpec> = {}): Promise<void> {
  const tasks = [{ ...TaskSpec.fromPartial({}), input }]
  const job = { ...JobSpec.fromPartial({}), jobId, functions: [bundled], tasks, ...change }
  await rim.service.submitJob({ requestId: '', job, validateOnly: false }, context)
}

const join = (workerId: string): void => void rim.openLink({ workerId, host: `host of ${workerId}` })

/** The task's attempt ends where it is; without a failure it finishes. */
function end(jobId: string, attempt: number, failure?: TaskFailure): void {
  const task = rim.state.jobs.get(jobId as JobId)?.tasks[0]
  const workerId = task?.status.kind === 'assigned' ? task.status.workerId : ('nobody' as WorkerId)
  const finished = { kind: 'finished', result: { kind: 'inline', payload: Buffer.alloc(1) } } as const
  const outcome = failure ? ({ kind: 'failed', failure } as const) : finished
  const times = { startedAtMs: 5, endedAtMs: 6, slot: 0 }
  rim.loop.post({
    kind: 'tasksEnded',
    workerId,
    ends: [{ jobId: jobId as JobId, index: 0, epoch: 1, attempt, outcome, ...times }],
  })
}

const thrown: TaskFailure = { kind: 'userError', reason: 'TASK_THREW', message: 'boom' }
const unloadable: TaskFailure = { kind: 'bundle', reason: 'MODULE_NOT_LOADED', message: 'the disk is full' }

test('a task that waits for its next attempt shows when, and what failed; at last its failure does', async () => {
  join('w1')
  const retry = {
    limits: [{ kind: FailureKind.USER_ERROR, maxAttempts: 2 }],
    firstDelay: { seconds: 5n, nanos: 0 },
    factor: 1,
    maxDelay: undefined,
    jitter: 0,
    budget: undefined,
  }
  await submit('j', { retry })
  await rim.quiet()
  end('j', 1, thrown)
  await rim.quiet()
  const { task: waiting } = await rim.service.getTask({ taskId: 'j/0' }, context)
  const first = { attempt: 1, workerId: 'w1', kind: FailureKind.USER_ERROR, startedAtMs: 5, endedAtMs: 6 }
  expect(waiting).toMatchObject({
    state: TaskState.WAITING,
    retryAt: { seconds: 1_005n, nanos: 0 },
    failedAttempts: [{ ...first, reason: 'TASK_THREW', message: 'boom' }],
  })
  rim.time.nowMs += 5_000
  rim.loop.post({ kind: 'timePassed' })
  await rim.quiet()
  end('j', 2, thrown)
  await rim.quiet()
  const { task: failed } = await rim.service.getTask({ taskId: 'j/0' }, context)
  expect(failed).toMatchObject({
    state: TaskState.FAILED,
    failure: { attempts: 2, history: [{ attempt: 1 }, { attempt: 2 }] },
    retryAt: undefined,
  })
})

test('a worker in quarantine is listed as such, until when, and why', async () => {
  join('bad')
  await submit('tried')
  await rim.quiet()
  end('tried', 1)
  for (const job of ['a', 'b', 'c']) {
    if (job === 'c') join('good')
    await submit(job)
    await rim.quiet()
    end(job, 1, unloadable)
    await rim.service.cancelJob({ ...CancelJobRequest.fromPartial({}), jobId: job }, context)
  }
  const { workers = [] } = await rim.service.listWorkers({ pageSize: 0, pageToken: '' }, context)
  expect(workers).toMatchObject([
    {
      workerId: 'bad',
      state: WorkerState.QUARANTINED,
      quarantineReason: '3 tasks in a row failed on it: the disk is full',
      quarantinedUntil: { seconds: 1_030n },
    },
    { workerId: 'good', state: WorkerState.READY, quarantineReason: '', quarantinedUntil: undefined },
  ])
})

test('with its tasks a worker is told the deadline of their job', async () => {
  const link = rim.openLink({ workerId: 'w1' })
  await rim.quiet()
  await submit('j', { deadline: { seconds: 2_000n, nanos: 0 } })
  await rim.quiet()
  const run = link.heard().find(({ $case }) => $case === 'runTasks')
  expect(run).toMatchObject({ value: { jobs: [{ jobId: 'j', deadline: { seconds: 2_000n } }] } })
})
