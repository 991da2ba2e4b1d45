import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

import { expect, test } from 'vitest'

import { MeshJob } from '#libs/submission'

import { JobTable } from './job-table.js'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

function createJob(id: string, tasks = 1): MeshJob {
  const backend = {
    fetch: async () => undefined,
    cancel: async () => undefined,
    release: () => undefined,
    persist: async () => undefined,
    localize: (stack: string) => stack,
  }
  const job = new MeshJob(id, id, {}, backend)
  for (let i = 0; i < tasks; i++) job.addFuture('f')
  return job
}

const settle = (job: MeshJob, index: number): void => {
  const timing = { workerId: 'w', slot: 0, attempt: 1, startedAtMs: 0, endedAtMs: 1 }
  job.futures[index]?.settle({ kind: 'finished', result: 1, timing })
}

test('a job that is settled is forgotten when the program has forgotten it', async () => {
  const table = new JobTable()
  const add = (id: string): void => {
    const job = createJob(id)
    table.add(job)
    settle(job, 0)
    table.noteSettled(job)
  }
  for (let i = 0; i < 100; i++) add(`j${i}`)
  await expect
    .poll(() => {
      collectGarbage()
      return table.size
    })
    .toBe(0)
})

test('who holds a future keeps its job, and one that is not settled is kept anyhow', async () => {
  const table = new JobTable()
  const holdFuture = () => {
    const job = createJob('held')
    table.add(job)
    settle(job, 0)
    table.noteSettled(job)
    return job.futures[0]
  }
  const held = holdFuture()
  table.add(createJob('open', 2))
  await new Promise((resolve) => setImmediate(resolve))
  collectGarbage()
  expect([...table].map(({ id }) => id)).toEqual(['open', 'held'])
  expect(table.get('held')).toBe(held?.job)
})

test('a result that is lost opens its job again', () => {
  const job = createJob('j', 3)
  for (const index of [2, 0, 1]) {
    expect(job.isSettled).toBe(false)
    settle(job, index)
  }
  expect(job.isSettled).toBe(true)
  job.reopen(1)
  expect(job.isSettled).toBe(false)
  settle(job, 1)
  expect(job.isSettled).toBe(true)
})
