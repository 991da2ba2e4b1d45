import { expect, test } from 'vitest'

import { readRpcFailure } from '#libs/rpc'

import { Outlet } from './outlet.js'

const mib = 2 ** 20

function openOutlet() {
  const time = { nowMs: 0 }
  const outlet = new Outlet<number>({ sizeOf: (megabytes) => megabytes * mib, nowMs: () => time.nowMs })
  let slow = 0
  outlet.whenSlow(() => slow++)
  return { outlet, time, reader: outlet[Symbol.asyncIterator](), slow: () => slow }
}

test('who reads nothing of much for long is given up, and what waited is dropped', async () => {
  const { outlet, time, reader, slow } = openOutlet()
  for (let i = 0; i < 5; i++) outlet.push(15)
  time.nowMs = 10_001
  expect(slow()).toBe(0)
  outlet.push(1)
  expect(slow()).toBe(1)
  outlet.push(1)
  expect(slow()).toBe(1)
  expect(await reader.next().catch(readRpcFailure)).toMatchObject({
    code: 'UNAVAILABLE',
    reason: 'SLOW_READER',
    retryDelayMs: 1_000,
  })
})

test('however much is said at once, and however long nothing was said before, is no fault of the reader', async () => {
  const { outlet, time, reader, slow } = openOutlet()
  time.nowMs = 60_000
  for (let i = 0; i < 100; i++) outlet.push(15)
  for (let i = 0; i < 100; i++) {
    time.nowMs += 9_000
    outlet.push(1)
    expect(await reader.next()).toMatchObject({ value: 15 })
  }
  expect(slow()).toBe(0)
})

test('what is put off comes with what is said next, in order', async () => {
  const { outlet, reader } = openOutlet()
  const first = reader.next()
  outlet.putOff(1, 10)
  expect(await Promise.race([first, Promise.resolve('nothing yet')])).toBe('nothing yet')
  outlet.push(2)
  expect([await first, await reader.next()]).toEqual([
    { value: 1, done: false },
    { value: 2, done: false },
  ])
})

test('what is put off comes by itself when nothing else is said', async () => {
  const { outlet, reader } = openOutlet()
  const first = reader.next()
  outlet.putOff(1, 10)
  expect(await first).toEqual({ value: 1, done: false })
})

test('little may wait for ever', () => {
  const { outlet, time, slow } = openOutlet()
  outlet.push(63)
  time.nowMs = 1e9
  outlet.push(1)
  expect(slow()).toBe(0)
})
