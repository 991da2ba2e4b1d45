import { expect, test } from 'vitest'

import { beginClaimed, ClaimBook, noClaim } from './line-claims.js'

test('a task is begun or withdrawn, never both', () => {
  const book = new ClaimBook()
  const [first, second] = [book.open('first'), book.open('second')]
  expect(beginClaimed(book.claims, first)).toBe(true)
  expect(book.withdraw('first')).toBe(false)
  expect(book.withdraw('second')).toBe(true)
  expect(book.withdraw('second')).toBe(false)
  expect(beginClaimed(book.claims, second)).toBe(false)
})

test('places are used again, and without one a task cannot be withdrawn', () => {
  const book = new ClaimBook()
  const taken = Array.from({ length: 1_024 }, (_, k) => book.open(`t${k}`))
  expect(new Set(taken).size).toBe(1_024)
  expect(book.open('one more')).toBe(noClaim)
  expect(book.withdraw('one more')).toBe(false)
  expect(beginClaimed(book.claims, noClaim)).toBe(true)
  book.close('t7')
  expect(book.open('another')).toBe(taken[7])
  expect(book.withdraw('another')).toBe(true)
})

test('of a task that comes again, the place that it had before is given back by itself', () => {
  const book = new ClaimBook()
  const before = book.open('task')
  expect(book.withdraw('task')).toBe(true)
  const now = book.open('task')
  expect(book.drop('task', before)).toBe(false)
  expect(beginClaimed(book.claims, now)).toBe(true)
  expect(book.open('other')).toBe(before)
})

test('a thread that has only one task left has no other place', () => {
  const book = new ClaimBook()
  book.open('task')
  book.withdraw('task')
  for (const key of ['task', 'waits', 'behind']) book.open(key)
  book.keepOnly('waits')
  expect(new Set(Array.from({ length: 1_023 }, (_, k) => book.open(`t${k}`))).has(noClaim)).toBe(false)
  expect(book.open('one more')).toBe(noClaim)
})
