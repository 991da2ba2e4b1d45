import { expect, test } from 'vitest'

import { isWanted, parseLogLine, renderLogLine } from './log-line.js'
import { createRecordedTerminal } from './terminal.fixture.js'

const origin = { atMs: 5, service: 'worker', instance: 'worker-0' }
const at = '2026-11-25T22:22:47.819Z'
const ofTask = JSON.stringify({
  level: 'warn',
  time: at,
  service: 'worker',
  instance: 'w-1',
  host: 'vm',
  pid: 7,
  'costate.task.id': 'j-1/27',
  'costate.task.attempt': 2,
  trace_id: 'ea047aa4a490fa5df7d77d72ed75597c',
  msg: 'slow progress',
})
const ofService = JSON.stringify({
  level: 'error',
  time: at,
  service: 'scheduler',
  instance: 'scheduler-9',
  err: { name: 'Error', message: 'no disk' },
  msg: 'a call failed',
})

test('a line that a task wrote carries its task, job, attempt and its own level', () => {
  expect(parseLogLine(ofTask, origin)).toEqual({
    atMs: Date.parse(at),
    level: 'warn',
    service: 'worker',
    instance: 'w-1',
    taskId: 'j-1/27',
    attempt: 2,
    jobId: 'j-1',
    text: 'slow progress',
    fields: { trace_id: 'ea047aa4a490fa5df7d77d72ed75597c' },
  })
})

test.each(['    at Object.<anonymous> (x.js:1:1)', '{"half": ', '{"msg":"without a time"}'])(
  'what is no line of the logger (%s) belongs to the line before',
  (text) => {
    expect(parseLogLine(text, origin)).toEqual({ ...origin, level: '', text, fields: {} })
  },
)

test.each([
  [{ job: 'j-1' }, true],
  [{ job: 'j-2' }, false],
  [{ task: 'j-1/27' }, true],
  [{ task: 'j-1/2' }, false],
  [{ worker: 'w-1' }, true],
  [{ worker: 'w-2', job: 'j-1' }, false],
  [{ level: 'warn' }, true],
  [{ level: 'error' }, false],
])('a filter %j', (filter, wanted) => {
  expect(isWanted(parseLogLine(ofTask, origin), filter)).toBe(wanted)
})

test('the trace of a crash is told at every level', () => {
  expect(isWanted(parseLogLine('boom', origin), { level: 'error' })).toBe(true)
})

test('a person sees who says what, a program gets tabs', () => {
  const [line, failure] = [parseLogLine(ofTask, origin), parseLogLine(ofService, origin)]
  const person = createRecordedTerminal({ isInteractive: true })

  expect(renderLogLine(line, person)).toMatch(/^\d\d:\d\d:47\.819 WARN {2}w-1 j-1\/27#2 slow progress$/)
  expect(renderLogLine(failure, person)).toMatch(/ERROR scheduler a call failed err=\{ name: 'Error'.*no disk/)
  expect(renderLogLine(line, createRecordedTerminal())).toBe(`${at}\twarn\tworker\tw-1\tj-1/27#2\tslow progress`)
})

test('what a task writes cannot steer the terminal', () => {
  const line = parseLogLine(JSON.stringify({ level: 'info', time: at, msg: 'a\u001b[2Jb' }), origin)

  expect(renderLogLine(line, createRecordedTerminal({ isInteractive: true }))).not.toContain('\u001b')
})

test('levels stand out in a terminal with colours', () => {
  const terminal = createRecordedTerminal({ isInteractive: true, color: true })

  expect(renderLogLine(parseLogLine(ofTask, origin), terminal)).toContain('\u001b[33mslow progress')
})
