import { expect, test } from 'vitest'

import { Outbox } from './outbox.js'
import { collect, quiesce } from './pair.fixture.js'

test('messages leave in the order in which they were said, and the end comes after them', async () => {
  const outbox = new Outbox<number>()
  outbox.push(1)
  outbox.push(2)
  outbox.end()
  outbox.push(3)
  expect(await collect(outbox)).toEqual([1, 2])
})

test('a series is made and said one message a turn, and what is said after it waits for its last', async () => {
  const outbox = new Outbox<number>()
  const made: number[] = []
  outbox.pushInTurns(
    (function* () {
      for (const number of [1, 2, 3]) {
        made.push(number)
        yield number
      }
    })(),
  )
  outbox.push(4)
  const reader = outbox[Symbol.asyncIterator]()
  expect(await reader.next()).toEqual({ value: 1, done: false })
  const second = reader.next()
  await Promise.resolve()
  expect(made).toEqual([1])
  expect(await second).toEqual({ value: 2, done: false })
  outbox.end()
  expect(await collect({ [Symbol.asyncIterator]: () => reader })).toEqual([3, 4])
})

test('an error overtakes what was said before it', async () => {
  const outbox = new Outbox<number>()
  outbox.push(1)
  outbox.end(new Error('cut'))
  await expect(collect(outbox)).rejects.toThrow('cut')
})

test('places are given in the order of asking, one for each message that has left', async () => {
  const outbox = new Outbox<string>(1)
  const told: string[] = []
  const say = async (name: string): Promise<void> => {
    await outbox.takePlace()
    told.push(name)
    outbox.fillPlace(name)
  }
  void say('first')
  void say('second')
  void say('third')
  await quiesce()
  expect(told).toEqual(['first'])
  const reader = outbox[Symbol.asyncIterator]()
  await reader.next()
  outbox.push('control messages need none')
  await quiesce()
  expect(told).toEqual(['first'])
  await reader.next()
  await quiesce()
  expect(told).toEqual(['first', 'second'])
  outbox.leavePlace()
  await quiesce()
  expect(told).toEqual(['first', 'second', 'third'])
})

test('who waits for a place is let go at the end', async () => {
  const outbox = new Outbox<string>(1)
  await outbox.takePlace()
  const waiting = outbox.takePlace()
  outbox.end()
  await expect(waiting).resolves.toBeUndefined()
})
