import { expect, test } from 'vitest'

import { createLevel } from './level.js'

test('a reader gets the newest value, not those in between, until the end', async () => {
  const level = createLevel(0)
  const reader = level[Symbol.asyncIterator]()
  for (let value = 1; value <= 1_000; value++) level.set(value)
  expect(await reader.next()).toEqual({ value: 1_000, done: false })
  const next = reader.next()
  level.set(1_001)
  expect(await next).toEqual({ value: 1_001, done: false })
  const last = reader.next()
  level.end()
  expect(await last).toEqual({ value: undefined, done: true })
})

test('a level that is what it was is not said again', async () => {
  const level = createLevel({ wanted: 1 })
  const reader = level[Symbol.asyncIterator]()
  await reader.next()
  const next = reader.next()
  level.set({ wanted: 1 })
  level.set({ wanted: 2 })
  expect(await next).toEqual({ value: { wanted: 2 }, done: false })
})
