import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { leaveInOrder } from './leaving.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function setUp(
  unlinkedSinceMs: () => number | undefined = () => undefined,
  stopTasks = async (): Promise<void> => undefined,
  graceMs = 10_000,
) {
  const steps: string[] = []
  let drained!: () => void
  let hasten!: (graceMs: number) => void
  const leaving = leaveInOrder({
    graceMs,
    drain: () => void steps.push('drain'),
    giveNotice: () => void steps.push('notice'),
    noticeMs: 3_000,
    drained: new Promise<void>((resolve) => (drained = resolve)),
    unlinkedSinceMs,
    hastened: (shorten) => (hasten = shorten),
    stopTasks: async () => {
      steps.push('stop tasks')
      await stopTasks()
    },
    sayGoodbye: async () => void steps.push('goodbye'),
  })
  return { steps, leaving, drained, hasten }
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

test('a worker that has two minutes takes them; one that is then told to hurry has what is left', async () => {
  const { steps, hasten } = setUp(undefined, undefined, 120_000)
  await vi.advanceTimersByTimeAsync(100_000)
  expect(steps).toEqual(['drain'])
  hasten(10_000)
  await vi.advanceTimersByTimeAsync(4_400)
  expect(steps).toEqual(['drain'])
  await vi.advanceTimersByTimeAsync(200)
  expect(steps).toEqual(['drain', 'notice'])
  await vi.advanceTimersByTimeAsync(3_000)
  expect(steps).toEqual(['drain', 'notice', 'stop tasks', 'goodbye'])
})

test('who has less time than it takes to hurry is given no more', async () => {
  const { steps, hasten } = setUp()
  await vi.advanceTimersByTimeAsync(5_000)
  hasten(60_000)
  await vi.advanceTimersByTimeAsync(3_000)
  expect(steps).toEqual(['drain', 'notice', 'stop tasks', 'goodbye'])
})
