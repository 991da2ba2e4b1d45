import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import type { WorkerId } from '#libs/domain'
import { AttemptRef } from '#libs/proto'

import { Acknowledgements } from './acknowledgements.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const [one, two] = ['w-1', 'w-2'] as WorkerId[] as [WorkerId, WorkerId]
const end = (index: number) => AttemptRef.fromPartial({ taskId: `job/${index}`, epoch: 1n, attempt: 1 })

test('are taken along with the next command, once', () => {
  const said: string[] = []
  const acknowledgements = new Acknowledgements((workerId) => said.push(workerId))
  expect(acknowledgements.hold(one, [end(1), end(2)])).toBe(true)
  expect(acknowledgements.take(two)).toEqual([])
  expect(acknowledgements.take(one)).toEqual([end(1), end(2)])
  expect(acknowledgements.take(one)).toEqual([])
  vi.runAllTimers()
  expect(said).toEqual([])
})

test('are said by themselves when no command comes', () => {
  const said: [string, unknown][] = []
  const acknowledgements = new Acknowledgements((workerId) => said.push([workerId, acknowledgements.take(workerId)]))
  acknowledgements.hold(one, [end(1)])
  acknowledgements.hold(two, [end(2)])
  vi.runAllTimers()
  expect(said).toEqual([
    [one, [end(1)]],
    [two, [end(2)]],
  ])
})

test('many do not wait', () => {
  const acknowledgements = new Acknowledgements(() => undefined)
  expect(
    acknowledgements.hold(
      one,
      Array.from({ length: 1_000 }, (_, index) => end(index)),
    ),
  ).toBe(false)
  expect(acknowledgements.take(one)).toEqual([])
})
