import { expect, test } from 'vitest'

import type { TaskSettled } from '#libs/proto'

import { MeshJob } from './mesh-job.js'

const finished = (index: number): TaskSettled => ({
  ...{ index, attempt: 1, workerId: 'w-1', slot: 0, startedAtMs: 1, endedAtMs: 2 },
  outcome: { $case: 'result', value: { location: { $case: 'payload', value: Buffer.alloc(0) }, holders: [] } },
})

/** A job of so many tasks on a mesh that writes down what is asked of it. */
function createJob(tasks: number) {
  const forgotten: string[] = []
  const cancelled: (readonly number[])[] = []
  const job = new MeshJob(
    'j-1',
    'test',
    {},
    {
      fetch: async ({ id }) => `the value of ${id}`,
      cancel: async (_, indices) => void cancelled.push(indices),
      release: () => undefined,
      persist: async () => undefined,
      localize: (stack) => stack,
      forget: (jobId) => forgotten.push(jobId),
    },
  )
  const futures = Array.from({ length: tasks }, () => job.addFuture('task'))
  return { job, futures, forgotten, cancelled }
}

test('a job that has settled is kept as long as one of its futures is', () => {
  const { job, futures, forgotten } = createJob(2)
  job.take([finished(0), finished(1)])
  futures[0]?.release()
  futures[0]?.release()
  expect(forgotten).toEqual([])
  futures[1]?.release()
  expect(forgotten).toEqual(['j-1'])
})

test('a job that is given up while it runs is kept until it has settled', () => {
  const { job, forgotten } = createJob(2)
  job.take([finished(1)])
  job.release()
  expect(forgotten).toEqual([])
  job.take([finished(0)])
  expect(forgotten).toEqual(['j-1'])
})

test('each future asks for its own task', async () => {
  const { job, futures, cancelled } = createJob(3)
  await futures[2]?.cancel()
  expect(cancelled).toEqual([[2]])
  const result = futures[1]?.result()
  job.take([finished(1)])
  expect(await result).toBe('the value of j-1/1')
})

test('who waits for a result that is lost meanwhile gets the one that is computed again', async () => {
  const { job, futures } = createJob(1)
  const [future] = futures
  job.take([finished(0)])
  future?.reopen()
  const settled = future?.settled()
  expect(future?.done).toBe(false)
  job.take([finished(0)])
  await settled
  expect(future?.status).toBe('finished')
})
