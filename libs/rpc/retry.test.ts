import { Metadata } from 'nice-grpc-common'
import { expect, test } from 'vitest'
import { retryDelayMs, sleep } from './retry.js'
import type { RpcFailure } from './status.js'

const unavailable: RpcFailure = {
  code: 'UNAVAILABLE',
  reason: undefined,
  message: '',
  metadata: {},
  retryDelayMs: undefined,
}
const first = { attempt: 1, isPatient: false, remainingMs: 30_000, trailer: undefined, random: 1 }

test('waits double, at most the random share of them, for three attempts more', () => {
  const delays = [1, 2, 3, 4].map((attempt) => retryDelayMs(unavailable, { ...first, attempt }))
  expect(delays).toEqual([100, 200, 400, undefined])
  expect(retryDelayMs(unavailable, { ...first, attempt: 3, random: 0.25 })).toBe(100)
})

test('who is patient tries again until the deadline, about once a second', () => {
  expect(retryDelayMs(unavailable, { ...first, isPatient: true, attempt: 20 })).toBe(1_000)
  expect(retryDelayMs(unavailable, { ...first, isPatient: true, attempt: 20, remainingMs: 900 })).toBeUndefined()
})

test.each(['UNKNOWN', 'INTERNAL', 'CANCELLED', 'DEADLINE_EXCEEDED', 'ABORTED', 'RESOURCE_EXHAUSTED'] as const)(
  '%s is not tried again',
  (code) => {
    expect(retryDelayMs({ ...unavailable, code }, first)).toBeUndefined()
  },
)

test('the server decides: RetryInfo is the least wait, pushback the exact one, negative pushback forbids', () => {
  expect(retryDelayMs({ ...unavailable, retryDelayMs: 1_000 }, first)).toBe(1_000)
  const pushed = (value: string) => ({ ...first, trailer: Metadata({ 'grpc-retry-pushback-ms': value }) })
  expect(retryDelayMs(unavailable, pushed('7'))).toBe(7)
  expect(retryDelayMs(unavailable, pushed('-1'))).toBeUndefined()
  expect(retryDelayMs(unavailable, pushed('soon'))).toBeUndefined()
})

test('a wait past the deadline is not begun', () => {
  expect(retryDelayMs(unavailable, { ...first, remainingMs: 99 })).toBeUndefined()
  expect(retryDelayMs({ ...unavailable, retryDelayMs: 60_000 }, first)).toBeUndefined()
})

test('an aborted signal ends a wait, also one that aborted before', async () => {
  const abort = new AbortController()
  const waiting = sleep(3_600_000, abort.signal)
  abort.abort()
  await expect(waiting).rejects.toMatchObject({ name: 'AbortError' })
  await expect(sleep(3_600_000, abort.signal)).rejects.toMatchObject({ name: 'AbortError' })
})
