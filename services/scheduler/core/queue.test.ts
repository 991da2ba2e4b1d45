import { expect, test } from 'vitest'

import { createQueue } from './queue.js'

test('first in, first out', () => {
  const queue = createQueue<number>(() => true)
  for (let i = 0; i < 5_000; i++) queue.push(i)
  for (let i = 0; i < 5_000; i++) {
    expect(queue.peek()).toBe(i)
    expect(queue.shift()).toBe(i)
  }
  expect(queue.shift()).toBeUndefined()
  expect(queue.length).toBe(0)
})

test('what died is skipped, and takes no place for long', () => {
  const dead = new Set<number>()
  const queue = createQueue<number>((item) => !dead.has(item))
  for (let i = 0; i < 100_000; i++) {
    queue.push(i)
    if (i % 100 !== 0) dead.add(i)
  }
  expect(queue.length).toBeLessThan(2 * 1_000 + 1_024)
  expect([...queue.values()]).toHaveLength(1_000)
  expect([queue.shift(), queue.shift(), queue.peek()]).toEqual([0, 100, 200])
})

test('a queue that is filled and emptied over and over stays small', () => {
  const queue = createQueue<number>(() => true)
  for (let round = 0; round < 100_000; round++) {
    queue.push(round)
    queue.push(-round)
    expect(queue.shift()).toBe(round)
    expect(queue.shift()).toBe(-round)
  }
  expect(queue.length).toBe(0)
})
