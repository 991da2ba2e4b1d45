import { expect, test } from 'vitest'

import type { TaskSettled } from '#libs/proto'

import { MeshJob } from './mesh-job.js'

const finished = (index: number): TaskSettled => ({
  ...{ index, attempt: 1, workerId: 'w-1', slot: 0, startedAtMs: 1, endedAtMs: 2 },
  outcome: { $case: 'result', value: { location: { $case: 'payload', value: Buffer.alloc(0) }, holders: [] } },
})

/** A job of so many tasks on a mesh that writes down what is asked of it. */
function createJob(tasks: number) {
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
    },
  )
  const futures = Array.from({ length: tasks }, () => job.addFuture('task'))
  return { job, futures, cancelled }
}

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
