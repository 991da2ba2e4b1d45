import { expect, test } from 'vitest'
import type { ReportTask } from './report-data.js'
import { judgeRun, outcomeOf } from './verdict.js'

const right: ReportTask = {
  index: 0,
  problem: 'brysonDenham',
  parameters: { stateBound: 1 / 9 },
  status: 'finished',
  workerId: 'worker-0',
  slot: 0,
  startMs: 0,
  endMs: 40,
  objective: 4.00001,
  published: 4,
  publishedSource: 'Bryson & Ho',
  relativeTolerance: 1e-4,
  relativeError: 2.5e-6,
  withinTolerance: true,
  intervals: 80,
  iterations: 9,
}

test('a task is right only when its numbers say so too', () => {
  expect(outcomeOf(right)).toBe('right')
  expect(outcomeOf({ ...right, relativeError: 1e-4 })).toBe('right')
  expect(outcomeOf({ ...right, relativeError: 1.01e-4 })).toBe('wrong')
  expect(outcomeOf({ ...right, withinTolerance: false })).toBe('wrong')
  expect(outcomeOf({ ...right, relativeError: Number.NaN })).toBe('wrong')
  expect(outcomeOf({ ...right, relativeTolerance: Number.NaN })).toBe('wrong')
  expect(outcomeOf({ ...right, objective: Number.NaN })).toBe('missing')
  expect(outcomeOf({ ...right, objective: Infinity })).toBe('missing')
  expect(outcomeOf({ ...right, status: 'failed' })).toBe('missing')
  expect(outcomeOf({ ...right, status: 'cancelled' })).toBe('missing')
})

test('a run is good when every answer is right, and never when there is none', () => {
  expect(judgeRun([right, right]).isGood).toBe(true)
  expect(judgeRun([right, { ...right, relativeError: 1 }]).isGood).toBe(false)
  expect(judgeRun([right, { ...right, status: 'failed' }]).isGood).toBe(false)
  expect(judgeRun([]).isGood).toBe(false)
})

test('the verdict is a sentence that a person would say', () => {
  const wrong = { ...right, relativeError: 1 }
  const lost = { ...right, status: 'failed', failure: { kind: 'workerLost', message: 'gone' } } as const
  expect(judgeRun([right, wrong])).toMatchObject({
    headline: '1 of 2 problems has no right answer.',
    reasons: ['1 answer is further from the published value than allowed.'],
  })
  expect(judgeRun([lost, lost, { ...right, status: 'failed' }]).reasons).toEqual([
    '3 tasks failed: 2 × workerLost, 1 × no cause given.',
  ])
})
