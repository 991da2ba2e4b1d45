import { expect, test } from 'vitest'

import { findClockOffsets } from './clock-offsets.js'
import { jobTimes, taskTimes } from './times.fixture.js'

test('clocks that no task contradicts are left alone', () => {
  const job = jobTimes([taskTimes(0, { sentAtMs: 1_000, startedAtMs: 1_002, endedAtMs: 1_050, settledAtMs: 1_060 })])
  expect(findClockOffsets([job]).get('w1')).toBe(0)
})

test('a worker whose tasks begin before they are sent has a clock that is behind, at least by that much', () => {
  const job = jobTimes([
    taskTimes(0, { sentAtMs: 1_000, startedAtMs: 700, endedAtMs: 800, settledAtMs: 1_150 }),
    taskTimes(1, { sentAtMs: 2_000, startedAtMs: 1_710, endedAtMs: 1_800, settledAtMs: 2_200 }),
  ])
  expect(findClockOffsets([job]).get('w1')).toBe(-300)
})

test('one whose tasks are settled before they end has a clock that is ahead', () => {
  const job = jobTimes([taskTimes(0, { sentAtMs: 1_000, startedAtMs: 6_020, endedAtMs: 6_120, settledAtMs: 1_140 })])
  expect(findClockOffsets([job]).get('w1')).toBe(4_980)
})

test('a clock that was set meanwhile gets the middle of what is said of it', () => {
  const job = jobTimes([
    taskTimes(0, { sentAtMs: 1_000, startedAtMs: 500, endedAtMs: 550, settledAtMs: 1_100 }),
    taskTimes(1, { sentAtMs: 2_000, startedAtMs: 3_000, endedAtMs: 3_100, settledAtMs: 2_100 }),
  ])
  expect(findClockOffsets([job]).get('w1')).toBe(250)
})
