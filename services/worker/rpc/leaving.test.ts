import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { leaveInOrder } from './leaving.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function setUp(
  unlinkedSinceMs: () => number | undefined = () => undefined,
  stopTasks = async (): Promise<void> => undefined,
) {
  const steps: string[] = []
  let drained!: () => void
  const leaving = leaveInOrder({
    graceMs: 10_000,
    drain: () => void steps.push('drain'),
    giveNotice: () => void steps.push('notice'),
    noticeMs: 3_000,
    drained: new Promise<void>((resolve) => (drained = resolve)),
    unlinkedSinceMs,
    stopTasks: async () => {
      steps.push('stop tasks')
      await stopTasks()
    },
    sayGoodbye: async () => void steps.push('goodbye'),
  })
  return { steps, leaving, drained }
}

test('a worker with nothing to finish leaves at once', async () => {
  const { steps, leaving, drained } = setUp()
  drained()
  await leaving
  expect(steps).toEqual(['drain', 'stop tasks', 'goodbye'])
})

test('a task that runs has the grace but for a margin, is told ahead of the end, and the goodbye is said', async () => {
  const { steps } = setUp()
  await vi.advanceTimersByTimeAsync(4_400)
  expect(steps).toEqual(['drain'])
  await vi.advanceTimersByTimeAsync(2_600)
  expect(steps).toEqual(['drain', 'notice'])
  await vi.advanceTimersByTimeAsync(1_000)
  expect(steps).toEqual(['drain', 'notice', 'stop tasks', 'goodbye'])
})

test('a task that cannot be ended does not keep the goodbye back', async () => {
  const { steps, drained } = setUp(undefined, () => new Promise(() => undefined))
  drained()
  await vi.advanceTimersByTimeAsync(1_000)
  expect(steps).toEqual(['drain', 'stop tasks', 'goodbye'])
})

test('nobody waits for a scheduler that is gone', async () => {
  const cutAtMs = Date.now()
  const { steps } = setUp(() => cutAtMs)
  await vi.advanceTimersByTimeAsync(1_500)
  expect(steps).toEqual(['drain', 'stop tasks', 'goodbye'])
})
