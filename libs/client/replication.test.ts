import { expect, test } from 'vitest'

import { ScatteredObject } from '#libs/task'

import type { ReplicateOptions, WorkerInfo } from './cluster.js'
import { planReplication } from './replication.js'

const workers = [
  { id: 'w1', host: 'a', heldBytes: 0 },
  { id: 'w2', host: 'a', heldBytes: 0 },
  { id: 'w3', host: 'b', heldBytes: 9 },
  { id: 'w4', host: 'b', heldBytes: 5 },
  { id: 'w5', host: 'c', heldBytes: 0, state: 'draining' },
].map((worker) => ({ state: 'ready', addresses: [], ...worker }) as Partial<WorkerInfo> as WorkerInfo)

async function targetsOf(options: ReplicateOptions, workerIds: readonly string[] = ['w1']): Promise<string[]> {
  const actions = { release: () => undefined, fetch: () => Promise.reject(new Error('nobody fetches it')) }
  const object = new ScatteredObject<unknown>('o-1', { byteLength: 100, workerIds }, actions)
  const plan = await planReplication(object, options, async () => workers)
  return (plan?.targets ?? []).map(({ id }) => id)
}

test('all workers that take something, unless some are named', async () => {
  expect(await targetsOf({})).toEqual(['w2', 'w3', 'w4'])
  expect(await targetsOf({ workers: ['w1', 'w3'] })).toEqual(['w3'])
})

test('so many copies, on other hosts first, then where the least is held', async () => {
  expect(await targetsOf({ copies: 1 })).toEqual([])
  expect(await targetsOf({ copies: 2 })).toEqual(['w4'])
  expect(await targetsOf({ copies: 9 })).toEqual(['w4', 'w2', 'w3'])
})

test('what makes no sense, or cannot be had, says so', async () => {
  await expect(targetsOf({ copies: 0 })).rejects.toThrow('give a whole number from 1')
  await expect(targetsOf({ workers: ['w5'] })).rejects.toThrow('there is no worker w5')
  await expect(targetsOf({}, ['w9'])).rejects.toMatchObject({ code: 'UNAVAILABLE', reason: 'NO_HOLDER' })
})
