import { expect, test } from 'vitest'

import { createWorker } from './testing/worker.js'

/** One that runs, and two links behind it. */
const chain = () => {
  const worker = createWorker(1)
  worker.run('a0', 1)
  worker.order('a1')
  worker.orderBehind('a2', 'a1')
  worker.orderBehind('a3', 'a2')
  return worker
}

test('stand in the line in which their inputs are made', () => {
  const worker = createWorker(2)
  worker.run('a0', 1)
  expect(worker.order('a1')).toEqual(['a1 to 0'])
  expect(worker.order('a2')).toEqual(['a2 to 1'])
  expect(worker.orderBehind('a3', 'a2')).toEqual(['a3 to 1 behind a2'])
  expect(worker.orderBehind('a4', 'a1', 'a3')).toEqual([])
  expect(worker.end('a1', 1)).toEqual(['a1 ended', 'a4 to 1 with a1 behind a3'])
})

test('go into a line with the first of them', () => {
  const worker = createWorker(1)
  worker.order('b1')
  worker.order('a1')
  expect(worker.orderBehind('a2', 'a1')).toEqual([])
  expect(worker.end('b1', 1)).toEqual(['b1 ended', 'a1 to 0'])
  expect(worker.end('a1', 1)).toEqual(['a1 ended', 'a2 to 0 with a1'])
})

test('end after their inputs, also when all is said again', () => {
  const worker = chain()
  expect(['a1', 'a2', 'a3'].map((name) => worker.end(name, 1))).toEqual([['a1 ended'], ['a2 ended'], ['a3 ended']])
  expect(worker.open()).toEqual(['a1 ended', 'a2 ended', 'a3 ended'])
})

test('have a result that was made and is not acknowledged', () => {
  const worker = createWorker(1)
  worker.run('a0', 1)
  worker.order('a1')
  worker.end('a1', 1)
  expect(worker.orderBehind('a2', 'a1')).toEqual(['a2 to 0 with a1'])
})

test('go on when the slot passed them over because their input was made before they came', () => {
  const worker = chain()
  worker.end('a1', 1)
  expect(worker.passedOver('a2', 'a3')).toEqual(['a2 to 0 with a1', 'a3 to 0 behind a2'])
})

test('are not run when their input failed, and go when the scheduler takes them back', () => {
  const worker = chain()
  expect(worker.fail('a1')).toEqual(['a1 failed'])
  expect(worker.passedOver('a2', 'a3')).toEqual([])
  expect(worker.order('a4')).toEqual(['a4 to 0'])
  worker.cancel('a2', 'a3')
  worker.drain()
  worker.acknowledge('a1')
  expect(worker.end('a4', 1)).toEqual(['a4 ended'])
  expect(worker.acknowledge('a4')).toEqual(['leave'])
})

test('are not run when their input went back, was stopped or was lost with its slot', () => {
  const [recalled, cancelled, lost] = [chain(), chain(), chain()]
  expect(recalled.recall('a2')).toEqual(['withdraw a2 on 0'])
  expect(recalled.withdrawn('a2')).toEqual(['return a2 as asked'])
  expect(recalled.passedOver('a3')).toEqual([])
  cancelled.cancel('a1')
  expect(cancelled.end('a1', 1)).toEqual([])
  expect(cancelled.passedOver('a2', 'a3')).toEqual([])
  lost.start('a1')
  expect(lost.lose(0)).toEqual(['a1 failed'])
})

test('are run again behind their input when the slot was lost before that began', () => {
  const worker = chain()
  expect(worker.lose(0)).toEqual(['a1 to 0', 'a2 to 0 behind a1', 'a3 to 0 behind a2'])
})

test('go back with the rest on a drain', () => {
  const worker = createWorker(1)
  worker.order('b1')
  worker.orderBehind('b2', 'b1')
  expect(worker.drain()).toEqual(['return b2'])
})
