import fc from 'fast-check'
import { expect, test } from 'vitest'

import type { WorkerId } from '#libs/domain'

import { takesShort } from './slots.js'
import { unheardPulse } from './pulse.js'
import type { Task, Worker } from './state.js'
import { createVacancies } from './vacancies.js'

function createWorker(name: string, slots: number): Worker {
  const workerId = name as WorkerId
  return {
    profile: { workerId, host: '', pid: 1, slots, addresses: [], memoryLimitBytes: 0, executor: 'thread' },
    ...{ tasks: new Set(), longTasks: 0, shortMs: 0, objects: new Set() },
    ...{
      followers: 0,
      followersMs: 0,
      tails: new Set<Task>(),
      suspects: 0,
      reserved: false,
      draining: false,
      quarantine: undefined,
      standing: undefined,
    },
    ...{
      extraSlots: 0,
      used: new Map(),
      keptFor: undefined,
      recalled: new Set(),
      awaiting: new Set(),
      woken: new Set(),
    },
    ...{ unlinkedSinceMs: undefined, pulse: unheardPulse, heardAtMs: 0 },
  }
}

/** The worker has so many tasks, all of a long kind or all of this length. */
function load(worker: Worker, tasks: number, expectedMs?: number): void {
  worker.tasks.clear()
  for (let k = 0; k < tasks; k++) worker.tasks.add({} as Task)
  worker.longTasks = expectedMs === undefined ? tasks : 0
  worker.shortMs = (expectedMs ?? 0) * tasks
}

test('the worker with the fewest tasks per slot is found, and of equals who came first', () => {
  const workers = new Map<WorkerId, Worker>()
  const vacancies = createVacancies(workers)
  const [a, b, c] = [createWorker('a', 1), createWorker('b', 4), createWorker('c', 4)]
  for (const worker of [a, b, c]) {
    workers.set(worker.profile.workerId, worker)
    vacancies.update(worker)
  }
  expect(vacancies.best(undefined)).toBe(a)
  load(a, 1)
  vacancies.update(a)
  expect(vacancies.best(undefined)).toBe(b)
  load(b, 2)
  vacancies.update(b)
  expect(vacancies.best(undefined)).toBe(c)
})

test('who drains, is cut off or gone is not found, and is found again once it says so', () => {
  const workers = new Map<WorkerId, Worker>()
  const vacancies = createVacancies(workers)
  const only = createWorker('a', 1)
  vacancies.update(only)
  expect(vacancies.best(1)).toBeUndefined()
  workers.set(only.profile.workerId, only)
  vacancies.update(only)
  only.unlinkedSinceMs = 5
  expect(vacancies.best(1)).toBeUndefined()
  only.unlinkedSinceMs = undefined
  vacancies.update(only)
  expect(vacancies.best(1)).toBe(only)
})

test('a long task is not sent behind short ones', () => {
  const workers = new Map<WorkerId, Worker>()
  const vacancies = createVacancies(workers)
  const only = createWorker('a', 1)
  workers.set(only.profile.workerId, only)
  load(only, 3, 1)
  vacancies.update(only)
  expect(vacancies.best(1)).toBe(only)
  expect(vacancies.best(undefined)).toBeUndefined()
})

test('whatever happens, it is the one that a look at all of them would find', () => {
  const change = fc.record({
    index: fc.nat(9),
    tasks: fc.nat(30),
    expectedMs: fc.option(fc.constantFrom(0.01, 1, 15), { nil: undefined }),
    draining: fc.boolean(),
  })
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 10, maxLength: 10 }),
      fc.array(change),
      (slots, changes) => {
        const all = slots.map((count, k) => createWorker(`w${k}`, count))
        const workers = new Map(all.map((worker) => [worker.profile.workerId, worker]))
        const vacancies = createVacancies(workers)
        for (const worker of all) vacancies.update(worker)
        for (const { index, tasks, expectedMs, draining } of changes) {
          const worker = all[index]!
          load(worker, tasks, expectedMs)
          worker.draining = draining
          vacancies.update(worker)
          const loadOf = ({ tasks: { size }, profile }: Worker): number => size / profile.slots
          const open = all.filter(takesShort)
          const least = open.toSorted((a, b) => loadOf(a) - loadOf(b))[0]
          expect(vacancies.best(1)).toBe(least)
          expect(vacancies.best(undefined)).toBe(least && loadOf(least) < 1 ? least : undefined)
          expect(all.filter((other) => vacancies.has(other))).toEqual(open)
        }
      },
    ),
  )
})
