import { expect, test } from 'vitest'

import { createSpanBudget } from './span-budget.js'

function admitted(budget: { admit(nowMs: number): boolean }, tasks: number, nowMs: number): number {
  return Array.from({ length: tasks }, () => budget.admit(nowMs)).filter(Boolean).length
}

test('a job of 200 tasks is traced whole, the 201st at the same moment is not', () => {
  expect(admitted(createSpanBudget(), 201, 1000)).toBe(200)
})

test('the rate holds over a flood, however the calls are spread', () => {
  const budget = createSpanBudget({ tasksPerSecond: 50 })
  let total = admitted(budget, 1000, 0)
  for (let nowMs = 1; nowMs <= 10_000; nowMs += 1) total += admitted(budget, 3, nowMs)
  expect(total).toBe(50 + 500)
})

test('a pause does not save up more than one second', () => {
  const budget = createSpanBudget({ tasksPerSecond: 10 })
  admitted(budget, 10, 0)
  expect(admitted(budget, 1000, 3_600_000)).toBe(10)
})

test('a clock that is set back neither blocks nor gives tokens twice', () => {
  const budget = createSpanBudget({ tasksPerSecond: 10 })
  expect(admitted(budget, 10, 5000)).toBe(10)
  expect(admitted(budget, 5, 1000)).toBe(0)
  expect(admitted(budget, 5, 5000)).toBe(0)
  expect(admitted(budget, 5, 5200)).toBe(2)
})

test('a rate of 0 admits none, Infinity all, and nonsense is refused', () => {
  expect(admitted(createSpanBudget({ tasksPerSecond: 0 }), 10, 1000)).toBe(0)
  expect(admitted(createSpanBudget({ tasksPerSecond: Infinity }), 10_000, 0)).toBe(10_000)
  expect(() => createSpanBudget({ tasksPerSecond: NaN })).toThrow(RangeError)
  expect(() => createSpanBudget({ tasksPerSecond: -1 })).toThrow('give a rate of 0 or more')
})
