import { expect, test } from 'vitest'

import { LatestSave } from './latest-save.js'

/** Saves whose ends are in the test's hands. */
function createSaves() {
  const begun: string[] = []
  const released: string[] = []
  const ends: { resolve: () => void; reject: (error: Error) => void }[] = []
  const latest = new LatestSave<string>(
    (body) => {
      begun.push(body)
      return new Promise<void>((resolve, reject) => ends.push({ resolve, reject }))
    },
    (body) => released.push(body),
  )
  return {
    latest,
    begun,
    released,
    end: () => ends.shift()?.resolve(),
    fail: (error: Error) => ends.shift()?.reject(error),
  }
}

test('while one is under way the newest wins, and all who offered hear of it', async () => {
  const { latest, begun, end } = createSaves()
  const first = latest.offer('a')
  const others = ['b', 'c', 'd'].map((body) => latest.offer(body))
  expect(begun).toEqual(['a'])
  end()
  await first
  await expect.poll(() => begun).toEqual(['a', 'd'])
  const later = latest.offer('e')
  end()
  await Promise.all(others)
  await expect.poll(() => begun).toEqual(['a', 'd', 'e'])
  end()
  await later
  void latest.offer('f')
  expect(begun).toEqual(['a', 'd', 'e', 'f'])
})

test('a save that fails fails those who wait for it, and no other', async () => {
  const { latest, end, fail } = createSaves()
  const first = latest.offer('a')
  const second = latest.offer('b')
  fail(new Error('disk full'))
  await expect(first).rejects.toThrow('disk full')
  await Promise.resolve()
  end()
  await second
})

test('every body is given back once: when a newer one takes its place, when it is saved, when that fails', async () => {
  const { latest, released, end, fail } = createSaves()
  const first = latest.offer('a')
  const others = ['b', 'c'].map((body) => latest.offer(body))
  expect(released).toEqual(['b'])
  fail(new Error('disk full'))
  await expect(first).rejects.toThrow('disk full')
  expect(released).toEqual(['b', 'a'])
  await expect.poll(() => end() === undefined && released.length === 3).toBe(true)
  await Promise.all(others)
  expect(released).toEqual(['b', 'a', 'c'])
})
