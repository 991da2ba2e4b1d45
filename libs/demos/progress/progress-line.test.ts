import { expect, test } from 'vitest'
import { formatPlainLine, formatProgressLine, formatSpan, type ProgressSnapshot } from './progress-line.js'

const halfway: ProgressSnapshot = {
  label: 'sweep',
  done: 143,
  running: 2,
  failed: 0,
  total: 240,
  tasksPerS: 31.2,
  elapsedMs: 4600,
  isFinal: false,
}

test('a wide terminal shows everything', () => {
  expect(formatProgressLine(halfway, 100)).toBe(
    'sweep ━━━━━━━━━━━━━━━━━━━━━━━╸──────────────── 143/240  running 2  failed 0  31.2 tasks/s  ETA 3 s',
  )
})

test('no terminal is too narrow: words are dropped, the line never wraps', () => {
  for (let columns = 1; columns <= 140; columns++)
    expect(formatProgressLine(halfway, columns).length, `${columns} columns`).toBeLessThan(Math.max(2, columns))
  expect(formatProgressLine(halfway, 60)).toBe('sweep ━━━━━━━───── 143/240  failed 0  31.2 tasks/s  ETA 3 s')
  expect(formatProgressLine(halfway, 40)).toBe('sweep ━━━╸── 143/240  failed 0  ETA 3 s')
  expect(formatProgressLine(halfway, 30)).toBe('━━━━━━╸──── 143/240  failed 0')
  expect(formatProgressLine(halfway, 12)).toBe('143/240')
})

test('failed tasks are settled, and are what colour points at', () => {
  const paint = {
    bar: (text: string) => `<${text}>`,
    rest: (text: string) => text,
    failed: (text: string) => `!${text}!`,
  }
  const line = formatProgressLine({ ...halfway, done: 100, failed: 20 }, 88, paint)
  expect(line).toContain('120/240')
  expect(line).toContain('!failed 20!')
  const unpainted = formatProgressLine({ ...halfway, done: 100, failed: 20 }, 88)
  expect(line.replace(/[<>!]/g, '')).toBe(unpainted)
  expect(formatProgressLine(halfway, 88, paint)).not.toContain('!')
})

test('the bar is empty at the start, full at the end, and never fuller than full', () => {
  const bar = (done: number, total: number) => formatProgressLine({ ...halfway, done, total }, 80).split(' ')[1]
  expect(bar(0, 240)).toMatch(/^─+$/)
  expect(bar(239, 240)).toMatch(/^━+[╸─]$/)
  expect(bar(240, 240)).toMatch(/^━+$/)
  expect(bar(999, 240)).toMatch(/^━+$/)
  expect(bar(0, 0)).toMatch(/^━+$/)
})

test('nothing is forecast from nothing, and the end tells how long it took', () => {
  expect(formatPlainLine({ ...halfway, done: 0, tasksPerS: 0 })).toBe(
    'sweep   0/240 (0 %)  running 2  failed 0  – tasks/s  ETA –',
  )
  expect(formatPlainLine({ ...halfway, done: 240, running: 0, isFinal: true, elapsedMs: 7700 })).toBe(
    'sweep 240/240 (100 %)  failed 0  31.2 tasks/s  in 7.7 s',
  )
  expect(formatPlainLine({ ...halfway, done: 239, tasksPerS: 900 })).toContain('ETA 1 s')
  expect(formatPlainLine({ ...halfway, done: 239, failed: 0, tasksPerS: 0.031 })).toContain('99 %)')
})

test.each([
  [0, '0 s'],
  [0.2, '1 ms'],
  [850, '850 ms'],
  [960, '1 s'],
  [7_700, '7.7 s'],
  [9_960, '10 s'],
  [59_400, '59 s'],
  [59_600, '1 min 00 s'],
  [65_000, '1 min 05 s'],
  [3_599_600, '1 h 00 min'],
  [7_380_000, '2 h 03 min'],
  [Infinity, '–'],
  [Number.NaN, '–'],
])('%d ms reads as %s', (spanMs, text) => {
  expect(formatSpan(spanMs)).toBe(text)
})
