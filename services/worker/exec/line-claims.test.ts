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
