import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { systemClock } from '#libs/lifecycle'

import type { Effect } from './core/effect.js'
import { createState } from './core/state.js'
import { type Loop, startLoop } from './loop.js'

const day = 86_400_000

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

function start(idleTimeoutMs: number): { loop: Loop; effects: Effect[]; fatal: unknown[] } {
  const effects: Effect[] = []
  const fatal: unknown[] = []
  const pool = { name: 'cpu', minWorkers: 0, maxWorkers: 4, slotsPerWorker: 1, idleTimeoutMs }
  const perform = (some: readonly Effect[]): void => {
    if (some.some(({ count }) => count === 4)) throw new Error('cannot print')
    effects.push(...some)
  }
  const loop = startLoop({
    state: createState([pool]),
    clock: systemClock,
    perform,
    onFatal: (error) => fatal.push(error),
  })
  return { loop, effects, fatal }
}

const demand = (wantedSlots: number) => ({ kind: 'demandHeard', wantedSlots, presentWorkers: 0 }) as const

test('levels heard in one go are decided one by one, in order', async () => {
  const { loop, effects } = start(1_000)
  loop.post(demand(1))
  loop.post(demand(3))
  await vi.advanceTimersByTimeAsync(0)
  expect(effects.map(({ count }) => count)).toEqual([1, 2])
})

test('time passes for the core when a lull ends, also one longer than any timer', async () => {
  const { loop } = start(40 * day)
  loop.post(demand(2))
  loop.post(demand(0))
  await vi.advanceTimersByTimeAsync(40 * day - 10)
  expect(loop.state.pools[0]?.desiredWorkers).toBe(2)
  await vi.advanceTimersByTimeAsync(20)
  expect(loop.state.pools[0]?.desiredWorkers).toBe(0)
  expect(vi.getTimerCount()).toBe(0)
})

test('a stopped loop leaves no timer', async () => {
  const { loop } = start(1_000)
  loop.post(demand(2))
  loop.post(demand(0))
  await vi.advanceTimersByTimeAsync(0)
  expect(vi.getTimerCount()).toBe(1)
  loop.stop()
  expect(vi.getTimerCount()).toBe(0)
})

test('an effect that cannot be done is fatal', async () => {
  const { loop, fatal } = start(1_000)
  loop.post(demand(4))
  await vi.advanceTimersByTimeAsync(0)
  expect(fatal).toEqual([new Error('cannot print')])
})
