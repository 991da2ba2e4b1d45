import { TaskCancelledError, TaskError } from 'costate'
import { expect, test } from 'vitest'
import { checkAnswer } from './checked-answer.js'
import type { Answer } from './sweep.js'
import { judgeRun, outcomeOf } from './verdict.js'

const problem = { kind: 'brysonDenham', stateBound: 1 / 9 } as const
const timing = { workerId: 'w-1', slot: 1, attempt: 1, startedAtMs: 1_700_000_000_250, endedAtMs: 1_700_000_000_350 }
const submittedAtMs = 1_700_000_000_000

/** Bryson–Denham at ℓ = 1/9 costs exactly 4. */
function finishedAt(objective: number): Answer {
  const [t, x, u] = [new Float64Array(3), new Float64Array(6), new Float64Array(3)]
  return { problem, timing, kind: 'finished', solution: { objective, intervals: 320, iterations: 2, t, x, u } }
}

test('an answer within the published tolerance is right, with its place and time in the run', () => {
  const task = checkAnswer(finishedAt(4.0003), 7, submittedAtMs)
  expect(outcomeOf(task)).toBe('right')
  expect(task).toMatchObject({ index: 7, status: 'finished', workerId: 'w-1', slot: 1, startMs: 250, endMs: 350 })
  expect(task).toMatchObject({
    parameters: { stateBound: 1 / 9 },
    published: 4,
    relativeTolerance: 1e-4,
    intervals: 320,
  })
  expect(task.relativeError).toBeCloseTo(7.5e-5, 10)
})

test.each([4.0005, 3.9995, -4, 0, Number.NaN, Number.POSITIVE_INFINITY])('a cost of %d is no right answer', (cost) => {
  const task = checkAnswer(finishedAt(cost), 0, submittedAtMs)
  expect(outcomeOf(task)).not.toBe('right')
  expect(judgeRun([task]).isGood).toBe(false)
})

const failure = {
  kind: 'userError',
  reason: 'TASK_THREW',
  message: 'the mesh is too coarse',
  errorName: 'Error',
  stack: 'Error: the mesh is too coarse\n    at solve (tasks.ts:20:9)',
} as const

test('a failed task has no answer; its stack tells why, without the ids that make every failure look different', () => {
  const error = new TaskError('j-1/3', 'solve', failure, (stack) => stack)
  const task = checkAnswer({ problem, timing, kind: 'failed', error }, 3, submittedAtMs)
  expect([outcomeOf(task), task.status, task.objective]).toEqual(['missing', 'failed', Number.NaN])
  expect(task.failure).toEqual({ kind: 'userError', message: failure.stack })
})

test('a task that was cancelled before it ran has neither place nor time', () => {
  const cancelled = { kind: 'cancelled', reason: 'CANCELLED', message: 'the task was cancelled' } as const
  const error = new TaskCancelledError('j-1/0', 'solve', cancelled, (stack) => stack)
  const nonlinear = { kind: 'vanDerPol', horizon: 5, guess: 2 } as const
  const task = checkAnswer({ problem: nonlinear, kind: 'cancelled', error }, 0, submittedAtMs)
  expect(task).toMatchObject({ status: 'cancelled', workerId: '', startMs: Number.NaN, endMs: Number.NaN })
  expect(task.parameters).toEqual({ horizon: 5, guess: 2 })
  expect(task.failure?.kind).toBe('cancelled')
})
