import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { LinkRequest, type LogLine } from '#libs/proto'

import { createTaskRelay, type TaskRelay } from './task-relay.js'

type Report = NonNullable<LinkRequest['report']>

let said: Report[]
let relay: TaskRelay
beforeEach(() => {
  vi.useFakeTimers()
  said = []
  relay = createTaskRelay('w-1', (report) => said.push(report))
})
afterEach(() => {
  relay.stop()
  vi.useRealTimers()
})

const line = (text: string) => ({ taskId: 'j/0', attempt: 1, level: 'info', text, atMs: 1 })
const linesOf = (reports: readonly Report[]): LogLine[] =>
  reports.flatMap((report) => (report.$case === 'logs' ? report.value.lines : []))

test('lines go out together, after a moment', () => {
  relay.log(line('one'))
  relay.log(line('two'))
  expect(said).toEqual([])
  vi.advanceTimersByTime(50)
  expect(said).toMatchObject([{ $case: 'logs', value: { lines: [{ text: 'one', workerId: 'w-1' }, { text: 'two' }] } }])
})

test('long lines go out in messages that fit, and what is too much is counted', () => {
  for (let i = 0; i < 100; i++) relay.log(line('ẋ'.repeat(64 * 1024)))
  relay.flush()
  for (const report of said) expect(LinkRequest.encode({ report }).finish().byteLength).toBeLessThan(1.2 * 2 ** 20)
  const lines = linesOf(said)
  expect(lines.length).toBeGreaterThan(10)
  expect(lines.at(-1)?.text).toMatch(new RegExp(`^${100 - (lines.length - 1)} more lines were dropped`))
  relay.log(line('then'))
  relay.flush()
  expect(linesOf(said).at(-1)?.text).toBe('then')
})

test('progress of many tasks with long messages goes out in messages that fit', () => {
  for (let i = 0; i < 100; i++) {
    relay.progress({ kind: 'progress', taskId: `j/${i}`, fraction: 0.5, message: 'ẋ'.repeat(64 * 1024) })
  }
  relay.flush()
  expect(said.length).toBeGreaterThan(10)
  for (const report of said) expect(LinkRequest.encode({ report }).finish().byteLength).toBeLessThan(1.2 * 2 ** 20)
  expect(said.flatMap((report) => (report.$case === 'progress' ? report.value.tasks : []))).toHaveLength(100)
})

test.each([NaN, Infinity, undefined])('an iteration that is no number is left out: %s', (iteration) => {
  const rest = iteration === undefined ? {} : { iteration }
  relay.progress({ kind: 'progress', taskId: 'j/0', fraction: 0.5, ...rest })
  relay.flush()
  expect(said).toMatchObject([{ value: { tasks: [{ taskId: 'j/0', iteration: undefined }] } }])
})
