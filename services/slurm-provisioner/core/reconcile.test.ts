import fc from 'fast-check'
import { expect, test } from 'vitest'

import { createOut, type Effect } from './effect.js'
import type { Event } from './event.js'
import { nextDeadlineMs, reconcile } from './reconcile.js'
import { createState, type PoolLimits, type State } from './state.js'

const cpu: PoolLimits = { name: 'cpu', minWorkers: 0, maxWorkers: 10, slotsPerWorker: 4, idleTimeoutMs: 60_000 }

function after(state: State, event: Event): Effect[] {
  const out = createOut()
  reconcile(state, event, out)
  return out.effects
}

function demand(atMs: number, wantedSlots: number, presentWorkers = 0): Event {
  return { kind: 'demandHeard', atMs, wantedSlots, presentWorkers }
}

function desired(state: State): number[] {
  return state.pools.map(({ desiredWorkers }) => desiredWorkers)
}

test('demand for 9 slots asks for 3 workers of 4 slots at once', () => {
  const state = createState([cpu])
  expect(after(state, demand(0, 9))).toEqual([{ kind: 'printScript', pool: 'cpu', count: 3 }])
})

test('a rise asks only for the workers that were not asked for before', () => {
  const state = createState([cpu])
  after(state, demand(0, 8))
  expect(after(state, demand(1, 20))).toEqual([{ kind: 'printScript', pool: 'cpu', count: 3 }])
})

test('workers that join cause no further script, also when they are not yet all there', () => {
  const state = createState([cpu])
  after(state, demand(0, 20))
  for (const present of [1, 3, 5]) expect(after(state, demand(present, 20, present))).toEqual([])
})

test('workers that are there already are not asked for', () => {
  const state = createState([cpu])
  expect(after(state, demand(0, 20, 4))).toEqual([{ kind: 'printScript', pool: 'cpu', count: 1 }])
})

test('a worker that went away while it is wanted is asked for again', () => {
  const state = createState([cpu])
  after(state, demand(0, 20))
  after(state, demand(1, 20, 5))
  expect(after(state, demand(2, 20, 3))).toEqual([{ kind: 'printScript', pool: 'cpu', count: 2 }])
})

test('nothing is printed before the scheduler has said what is there', () => {
  const state = createState([{ ...cpu, minWorkers: 2 }])
  expect(after(state, { kind: 'timePassed', atMs: 0 })).toEqual([])
  expect(after(state, demand(1, 0))).toEqual([{ kind: 'printScript', pool: 'cpu', count: 2 }])
})

test('demand falls only after the idle timeout, and then to the most that was wanted meanwhile', () => {
  const state = createState([cpu])
  after(state, demand(0, 40))
  after(state, demand(1_000, 0))
  after(state, demand(2_000, 12))
  after(state, demand(3_000, 4))
  expect(desired(state)).toEqual([10])
  expect(nextDeadlineMs(state)).toBe(61_000)
  after(state, { kind: 'timePassed', atMs: 60_999 })
  expect(desired(state)).toEqual([10])
  after(state, { kind: 'timePassed', atMs: 61_000 })
  expect(desired(state)).toEqual([3])
  after(state, { kind: 'timePassed', atMs: 121_000 })
  expect(desired(state)).toEqual([1])
  expect(nextDeadlineMs(state)).toBeUndefined()
})

test('a rise within the lull ends it', () => {
  const state = createState([cpu])
  after(state, demand(0, 40))
  after(state, demand(1_000, 0))
  expect(after(state, demand(30_000, 40))).toEqual([])
  after(state, { kind: 'timePassed', atMs: 61_000 })
  expect(desired(state)).toEqual([10])
})

test('while the scheduler is out of reach no worker is let go', () => {
  const state = createState([cpu])
  after(state, demand(0, 40))
  after(state, demand(1_000, 0))
  after(state, { kind: 'demandLost', atMs: 2_000 })
  expect(nextDeadlineMs(state)).toBeUndefined()
  after(state, { kind: 'timePassed', atMs: 500_000 })
  expect(desired(state)).toEqual([10])
  after(state, demand(600_000, 0))
  expect(nextDeadlineMs(state)).toBe(660_000)
})

test('the second pool grows when the first one is full; each keeps its fewest', () => {
  const gpu: PoolLimits = { name: 'gpu', minWorkers: 1, maxWorkers: 3, slotsPerWorker: 2, idleTimeoutMs: 0 }
  const state = createState([{ ...cpu, maxWorkers: 2 }, gpu])
  expect(after(state, demand(0, 5))).toEqual([
    { kind: 'printScript', pool: 'cpu', count: 1 },
    { kind: 'printScript', pool: 'gpu', count: 1 },
  ])
  after(state, demand(1, 12))
  expect(desired(state)).toEqual([2, 2])
  after(state, demand(2, 1_000))
  expect(desired(state)).toEqual([2, 3])
})

test('a worker that joins counts for the pool that was asked, also when another pool grows later', () => {
  const gpu: PoolLimits = { name: 'gpu', minWorkers: 3, maxWorkers: 3, slotsPerWorker: 1, idleTimeoutMs: 0 }
  const state = createState([{ ...cpu, slotsPerWorker: 1 }, gpu])
  after(state, demand(0, 5))
  after(state, demand(1, 5, 5))
  expect(state.pools.map(({ presentWorkers }) => presentWorkers)).toEqual([2, 3])
  expect(after(state, demand(2, 8, 5))).toEqual([{ kind: 'printScript', pool: 'cpu', count: 3 }])
})

const limits = fc
  .record({
    minWorkers: fc.nat(5),
    extra: fc.nat(10),
    slotsPerWorker: fc.integer({ min: 1, max: 8 }),
    idleTimeoutMs: fc.constantFrom(0, 10, 100),
  })
  .map(({ extra, ...rest }) => ({ ...rest, maxWorkers: rest.minWorkers + extra }))
const pools = fc
  .array(limits, { minLength: 1, maxLength: 3 })
  .map((list) => list.map((one, index): PoolLimits => ({ ...one, name: `pool-${index}` })))
const wantedSlots = fc.nat(150)
const steps = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant('demandHeard' as const),
      wantedSlots,
      presentWorkers: fc.nat(40),
      waitMs: fc.nat(60),
    }),
    fc.record({ kind: fc.constantFrom('timePassed' as const, 'demandLost' as const), waitMs: fc.nat(60) }),
  ),
)

function timed(list: typeof steps extends fc.Arbitrary<infer Steps> ? Steps : never): Event[] {
  let atMs = 0
  return list.map(({ waitMs, ...step }) => ({ ...step, atMs: (atMs += waitMs) }))
}

test('whatever happens, desired stays within the limits and no more is asked for than is missing', () => {
  fc.assert(
    fc.property(pools, steps, (some, list) => {
      const state = createState(some)
      for (const event of timed(list)) {
        const effects = after(state, event)
        for (const { limits: own, desiredWorkers, presentWorkers, allocatedWorkers } of state.pools) {
          expect(desiredWorkers).toBeGreaterThanOrEqual(own.minWorkers)
          expect(desiredWorkers).toBeLessThanOrEqual(own.maxWorkers)
          expect(allocatedWorkers).toBeGreaterThanOrEqual(presentWorkers)
          const asked = effects.filter(({ pool }) => pool === own.name)
          expect(asked.length).toBeLessThanOrEqual(1)
          for (const { count } of asked) {
            expect(count).toBeGreaterThan(0)
            expect(count).toBeLessThanOrEqual(desiredWorkers - presentWorkers)
          }
        }
        if (event.kind === 'demandHeard') {
          const counted = state.pools.reduce((sum, { presentWorkers }) => sum + presentWorkers, 0)
          expect(counted).toBeLessThanOrEqual(event.presentWorkers)
          // Every desired worker is there or was asked for.
          for (const { allocatedWorkers, desiredWorkers } of state.pools) {
            expect(allocatedWorkers).toBeGreaterThanOrEqual(desiredWorkers)
          }
        }
      }
    }),
  )
})

test('a level that is heard again at the same moment changes nothing', () => {
  fc.assert(
    fc.property(pools, steps, wantedSlots, fc.nat(40), (some, list, wanted, present) => {
      const state = createState(some)
      const events = timed(list)
      for (const event of events) after(state, event)
      const level = demand(events.at(-1)?.atMs ?? 0, wanted, present)
      after(state, level)
      const before = structuredClone(state)
      expect(after(state, level)).toEqual([])
      expect(state).toEqual(before)
    }),
  )
})

test('more demand never desires fewer workers of any pool', () => {
  fc.assert(
    fc.property(pools, steps, wantedSlots, fc.nat(20), (some, list, wanted, more) => {
      const [less, greater] = [createState(some), createState(some)]
      const events = timed(list)
      for (const event of events) {
        after(less, event)
        after(greater, event)
      }
      const atMs = events.at(-1)?.atMs ?? 0
      after(less, demand(atMs, wanted))
      after(greater, demand(atMs, wanted + more))
      for (const [index, count] of desired(less).entries()) {
        expect(desired(greater)[index]).toBeGreaterThanOrEqual(count)
      }
    }),
  )
})

test('the desired workers have the wanted slots, unless every pool is full', () => {
  fc.assert(
    fc.property(pools, wantedSlots, (some, wanted) => {
      const state = createState(some)
      after(state, demand(0, wanted))
      const slots = state.pools.reduce((sum, pool) => sum + pool.desiredWorkers * pool.limits.slotsPerWorker, 0)
      const full = state.pools.every(({ desiredWorkers, limits: own }) => desiredWorkers === own.maxWorkers)
      expect(slots >= wanted || full).toBe(true)
    }),
  )
})
