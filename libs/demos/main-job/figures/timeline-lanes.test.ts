import { expect, test } from 'vitest'
import type { ReportTask } from '../report-data.js'
import { assignLanes } from './timeline-lanes.js'

function ranOn(workerId: string, slot: number, startMs = 0): ReportTask {
  const values = { objective: 2, published: 2, relativeTolerance: 1e-4, relativeError: 0, intervals: 80, iterations: 9 }
  const where = { workerId, slot, startMs, endMs: startMs + 10, status: 'finished', withinTolerance: true } as const
  return { index: 0, problem: 'brysonDenham', parameters: {}, publishedSource: '', ...values, ...where }
}

test('idle slots have a lane, and so have slots that no worker announced', () => {
  const tasks = [ranOn('a', 1), ranOn('gone', 0), ranOn('a', 1, 20)]
  const { lanes, unplaced } = assignLanes(
    [
      { id: 'a', slots: 2 },
      { id: 'b', slots: 1 },
    ],
    tasks,
  )
  expect(lanes.map(({ name, tasks }) => [name, tasks.length])).toEqual([
    ['a · 0', 0],
    ['a · 1', 2],
    ['b', 0],
    ['gone · 0', 1],
  ])
  expect(unplaced).toEqual([])
})

test('a task that never ran has no lane and is not forgotten', () => {
  const never = { ...ranOn('', 0), startMs: Number.NaN, endMs: Number.NaN }
  const { lanes, unplaced } = assignLanes([], [never])
  expect(lanes).toEqual([])
  expect(unplaced).toEqual([never])
})
