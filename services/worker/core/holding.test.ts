import { expect, test } from 'vitest'

import { createWorker } from './testing/worker.js'

/** One slot, a kind of 20 ms, and four tasks of it, the first of which runs. */
function createBusyWorker() {
  const worker = createWorker(1)
  worker.run('s0', 20)
  worker.hold()
  worker.order('s1', 's2', 's3', 's4')
  worker.start('s1')
  return worker
}

test('while the slot has its next tasks, starts and ends are said several at once', () => {
  const worker = createBusyWorker()
  expect(worker.end('s1', 20)).toEqual([])
  expect(worker.start('s2')).toEqual([])
  expect(worker.pass(10)).toEqual([])
  expect(worker.pass(20)).toEqual(['s1 started', 's1 ended', 's2 started'])
  expect(worker.pass(50)).toEqual([])
})

test('they are said before the slot is idle, however much it was thought to have', () => {
  const worker = createBusyWorker()
  worker.end('s1', 1)
  worker.end('s2', 1)
  expect(worker.end('s3', 1)).toEqual(['s1 started', 's1 ended', 's2 ended', 's3 ended'])
  expect(worker.end('s4', 1)).toEqual(['s4 ended'])
})

test('they wait 50 ms at most', () => {
  const worker = createWorker(1)
  worker.run('s0', 140)
  worker.hold()
  worker.order('s1', 's2', 's3')
  expect(worker.start('s1')).toEqual([])
  expect(worker.pass(49)).toEqual([])
  expect(worker.pass(1)).toEqual(['s1 started'])
})

test('with one slot that has no next task everything is said at once', () => {
  const worker = createWorker(2)
  worker.run('s0', 20)
  worker.hold()
  worker.order('s1', 's2', 's3')
  expect(worker.start('s1')).toEqual(['s1 started'])
  expect(worker.end('s1', 20)).toEqual(['s1 ended'])
})

test('what is urgent, and what failed, waits for nobody, and takes along what waits', () => {
  const worker = createBusyWorker()
  worker.orderUrgent('s5')
  worker.end('s1', 20)
  expect(worker.fail('s2')).toEqual(['s1 started', 's1 ended', 's2 failed'])
  worker.order('s6', 's7', 's8')
  expect(worker.end('s3', 20)).toEqual([])
  worker.end('s4', 20)
  expect(worker.start('s5')).toEqual(['s3 ended', 's4 ended', 's5 started'])
})

test('ends of very short tasks, which come many at once, do not wait', () => {
  const worker = createWorker(1)
  worker.run('s0', 0.01)
  worker.hold()
  worker.order('s1', 's2', 's3')
  expect(worker.end('s1', 0.01)).toEqual(['s1 ended'])
})
