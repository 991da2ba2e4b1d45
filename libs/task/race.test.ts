import { expect, test } from 'vitest'

import { TaskFuture } from './future.js'
import { raceFutures } from './race.js'

const timing = { workerId: 'w', slot: 0, attempt: 1, startedAtMs: 0, endedAtMs: 0 }

function createFutures(count: number) {
  const cancelled: string[] = []
  const futures = Array.from({ length: count }, (_, index) => {
    const backend = {
      job: {} as never,
      isSent: () => true,
      fetch: async (future: TaskFuture<unknown>) => future.wireResult,
      cancel: async ({ id }: TaskFuture<unknown>) => void cancelled.push(id),
      release: () => undefined,
    }
    return new TaskFuture<unknown>(`f${index}`, 'f', backend)
  })
  const finish = (index: number, result: unknown): void => futures[index]?.settle({ kind: 'finished', result, timing })
  const fail = (index: number): void =>
    futures[index]?.settle({ kind: 'failed', error: new Error(`f${index} failed`), cancelled: false, timing })
  return { futures, cancelled, finish, fail }
}

test('the first that finishes wins, one that failed before does not, and the others are cancelled', async () => {
  const { futures, cancelled, finish, fail } = createFutures(4)
  const race = raceFutures(futures)
  fail(0)
  finish(2, 'second')
  expect(await race).toBe('second')
  expect(cancelled).toEqual(['f1', 'f3'])
})

test('when all fail, the error has what each failed with', async () => {
  const { futures, cancelled, fail } = createFutures(2)
  const race = raceFutures(futures)
  fail(1)
  fail(0)
  await expect(race).rejects.toMatchObject({
    message: 'race: none of the 2 tasks finished',
    errors: [{ message: 'f0 failed' }, { message: 'f1 failed' }],
  })
  expect(cancelled).toEqual([])
})

test('a race of nobody is refused, and who is settled already has won', async () => {
  await expect(raceFutures([])).rejects.toThrow(/nothing to race/)
  const { futures, cancelled, finish } = createFutures(2)
  finish(1, 7)
  expect(await raceFutures(futures)).toBe(7)
  expect(cancelled).toEqual(['f0'])
})
