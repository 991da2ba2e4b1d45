import { expect, test } from 'vitest'

import type { HeardSettle } from './job-client.js'
import { readMarks } from './marks.js'
import { judge } from './verdict.js'

const settle: HeardSettle = { index: 0, value: 0, attempt: 1, startedAtMs: 100, heardAtMs: 210 }

function judgeOne(marks: string, heard: readonly HeardSettle[][], more: { killed?: number; diedAtMs?: number } = {}) {
  return judge({
    tasks: 1,
    runs: readMarks(marks),
    heard,
    killedAtMs: more.diedAtMs === undefined ? [] : [more.diedAtMs],
    killedWorkers: new Set(more.killed === undefined ? [] : [more.killed]),
  })
}

const ran = 'start 0 1 7 100\nend 0 1 7 200\n'

test('a task that ran once and was heard of keeps every promise', () => {
  expect(judgeOne(ran, [[settle], [settle]])).toEqual({ complaints: [], adopted: 0, runAgain: 0 })
})

test('a run that went on through a death of the scheduler counts as adopted', () => {
  expect(judgeOne(ran, [[settle]], { diedAtMs: 150 })).toMatchObject({ complaints: [], adopted: 1 })
})

test('a run again is fine when its worker was killed, and only then', () => {
  const again = `start 0 1 6 50\n${ran}`
  expect(judgeOne(again, [[settle]], { killed: 6 })).toEqual({ complaints: [], adopted: 0, runAgain: 1 })
  expect(judgeOne(again, [[settle]]).complaints).toEqual(['task 0 was run 2 times by workers that lived'])
})

test.each<[string, string, HeardSettle[][], string]>([
  ['was never heard of', ran, [[]], 'task 0 was lost: nobody heard how it ended'],
  ['has another value', ran, [[{ ...settle, value: 3 }]], 'task 0 gave 3'],
  [
    'was settled twice',
    ran,
    [[settle], [{ ...settle, attempt: 2, heardAtMs: 300 }]],
    'task 0 was settled twice: 0 by attempt 1, started at 100, then 0 by attempt 2, started at 100',
  ],
  [
    'ran after its settle',
    `${ran}start 0 2 7 300\nend 0 2 7 310`,
    [[settle]],
    'task 0 was settled and then run as attempt 2',
  ],
  ['was settled by no run', '', [[settle]], 'attempt 1 settled task 0, and it never ran'],
  [
    'was settled by a run without an end',
    'start 0 1 7 100\n',
    [[settle]],
    'task 0 was settled by a run that did not end',
  ],
])('it complains of a task that %s', (_, marks, heard, complaint) => {
  expect(judgeOne(marks, heard).complaints).toContain(complaint)
})
