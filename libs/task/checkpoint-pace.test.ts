import { expect, test } from 'vitest'

import { CheckpointPace } from './checkpoint-pace.js'

test('without an interval every save is done', () => {
  const pace = new CheckpointPace(0)
  expect([pace.isDue({}, 0, false), pace.isDue({ iteration: 1 }, 0, false)]).toEqual([true, true])
})

test('by iteration: one in so many, counted from the one that was saved or gone on from', () => {
  const pace = new CheckpointPace(0)
  const every = { iterations: 10 }
  const due = (from: number, to: number): number[] => {
    const found = []
    for (let iteration = from; iteration <= to; iteration++)
      if (pace.isDue({ iteration, every }, 0, false)) found.push(iteration)
    return found
  }
  expect(due(1, 25)).toEqual([10, 20])
  pace.resumeAt(0, 105)
  expect(due(106, 130)).toEqual([115, 125])
})

test('by time: the first that comes after so long', () => {
  const pace = new CheckpointPace(1_000)
  const every = { ms: 500 }
  const due = [1_100, 1_499, 1_600, 1_700, 2_100].filter((nowMs) => pace.isDue({ every }, nowMs, false))
  expect(due).toEqual([1_600, 2_100])
})

test('a task that numbers no iterations is counted by its calls', () => {
  const pace = new CheckpointPace(0)
  const due = [1, 2, 3, 4, 5, 6, 7].filter(() => pace.isDue({ every: { iterations: 3 } }, 0, false))
  expect(due).toEqual([3, 6])
})

test('what is about to be stopped saves whatever the interval says', () => {
  const pace = new CheckpointPace(0)
  expect(pace.isDue({ iteration: 1, every: { iterations: 100, ms: 1e9 } }, 0, true)).toBe(true)
})
