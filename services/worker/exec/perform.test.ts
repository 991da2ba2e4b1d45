import { expect, test } from 'vitest'

import type { TaskId } from '#libs/domain'
import type { LinkRequest } from '#libs/proto'

import type { Effect } from '../core/effect.js'
import { keyOf, type TaskOrder } from '../core/state.js'
import type { UntimedEvent } from '../loop.js'
import { createPerform } from './perform.js'

type Report = NonNullable<LinkRequest['report']>

const order: TaskOrder = {
  ...{
    taskId: 'j/1' as TaskId,
    epoch: 1,
    attempt: 1,
    jobId: 'j',
    index: 1,
    bundleDigest: 'd',
    taskName: 'f',
    seed: 1n,
  },
  ...{ input: new Uint8Array(), inputs: [], trace: {}, timeoutMs: undefined },
}
const execution: Effect = { kind: 'execute', slot: 0, order, devices: [], made: [], missing: [] }
const stop: Effect = { kind: 'stopExecution', slot: 0, order, reason: 'told' }

/** What is done in the slots of a worker, which has the bundle or has not; and what the core hears of it. */
function createBench(options: { readonly hasBundle: boolean }) {
  const done: string[] = []
  const heard: UntimedEvent[] = []
  const reports: Report[] = []
  const inLine = new Set<string>()
  const executor = {
    execute: (_slot: number, tasks: readonly { readonly order: TaskOrder }[]) => {
      for (const task of tasks) {
        inLine.add(keyOf(task.order))
        done.push(`execute ${task.order.taskId}`)
      }
    },
    stopTask: (_slot: number, key: string) => {
      if (inLine.has(key)) done.push(`stop ${key}`)
    },
    withdraw: (_slot: number, key: string) => inLine.delete(key),
  }
  const perform = createPerform({
    workerId: 'w',
    executor: () => executor as never,
    fetcher: { inputsOf: () => new Map(), drop: () => undefined } as never,
    bundles: { path: () => (options.hasBundle ? '/b' : undefined), fetch: () => new Promise(() => undefined) },
    store: new Map() as never,
    post: (event) => heard.push(event),
    report: (report) => reports.push(report),
    ...{ forget: () => undefined, flushLines: () => undefined },
    ...{ leave: () => undefined, giveUp: () => undefined },
  })
  return { perform, done, heard, reports }
}

test('what is ordered and cancelled in one batch is in its slot when it is stopped there', () => {
  const { perform, done } = createBench({ hasBundle: true })
  perform([execution, stop])
  expect(done).toEqual(['execute j/1', `stop ${keyOf(order)}`])
})

test('what is cancelled in the batch that orders it does not run when its bundle comes, and is over at once', () => {
  const { perform, done, heard } = createBench({ hasBundle: false })
  perform([execution, stop])
  expect(done).toEqual([])
  expect(heard).toMatchObject([{ kind: 'attemptEnded', outcome: { failure: { reason: 'CANCELLED' } } }])
})

test('what is ordered and asked back in one batch is given up', () => {
  const { perform, heard } = createBench({ hasBundle: true })
  perform([execution, { kind: 'withdrawExecution', slot: 0, order }])
  expect(heard).toEqual([{ kind: 'attemptWithdrawn', key: keyOf(order) }])
})

const ref = { taskId: order.taskId, epoch: 1, attempt: 1 }
const end: Effect = {
  kind: 'reportEnded',
  order,
  end: { ref, outcome: { kind: 'payload', payload: new Uint8Array() }, startedAtMs: 1, endedAtMs: 3, slot: 0 },
}
const next = { ...ref, taskId: 'j/2' as TaskId }
const start: Effect = { kind: 'reportStarted', ref: next, slot: 0, startedAtMs: 3 }

test('what began to run is said with the ends of the batch, in one message', () => {
  const { perform, reports } = createBench({ hasBundle: true })
  perform([start])
  perform([end, start])
  expect(reports).toMatchObject([
    { $case: 'tasksStarted', value: { tasks: [{ attempt: { taskId: 'j/2' } }] } },
    {
      $case: 'tasksEnded',
      value: { tasks: [{ attempt: { taskId: 'j/1' } }], started: [{ attempt: { taskId: 'j/2' }, atMs: 3 }] },
    },
  ])
})

test('that a task began is said before that it waits', () => {
  const { perform, reports } = createBench({ hasBundle: true })
  perform([start, { kind: 'reportWait', ref: next, wait: 1, isOver: false }, end])
  expect(reports.map(({ $case }) => $case)).toEqual(['tasksStarted', 'tasksWaiting', 'tasksEnded'])
  expect(reports[2]).toMatchObject({ value: { started: [] } })
})
