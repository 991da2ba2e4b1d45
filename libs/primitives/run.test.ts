import { expect, test, vi } from 'vitest'

import type { Cluster } from '#libs/client'

import { Run } from './run.js'

/** A cluster that answers who its workers are, and nothing else. */
function clusterThatAnswers(workers: () => Promise<readonly { readonly slots: number }[]>): Cluster {
  return { workers } as unknown as Cluster
}

test('slots are counted once; a later call begins with what is known, and is told what was asked meanwhile', async () => {
  let answer: (workers: readonly { slots: number }[]) => void = () => undefined
  const later = new Promise<readonly { slots: number }[]>((resolve) => (answer = resolve))
  const workers = vi.fn(() => later).mockResolvedValueOnce([{ slots: 1 }, { slots: 1 }])
  const cluster = clusterThatAnswers(workers)

  expect((await new Run(cluster, cluster, undefined).slots())()).toBe(2)
  const slots = await new Run(cluster, cluster, undefined).slots()
  expect(slots()).toBe(2)
  answer([{ slots: 1 }, { slots: 8 }])
  await expect.poll(slots).toBe(9)
})

test('a cluster without workers counts as one slot, and one that does not answer is refused at the first call only', async () => {
  const gone = (): Promise<readonly { slots: number }[]> => Promise.reject(new Error('the scheduler is gone'))
  const workers = vi.fn(gone)
  const cluster = clusterThatAnswers(workers)
  const run = new Run(cluster, cluster, undefined)

  await expect(run.slots()).rejects.toThrow('the scheduler is gone')
  workers.mockResolvedValueOnce([])
  expect((await run.slots())()).toBe(1)
  expect((await run.slots())()).toBe(1)
})
