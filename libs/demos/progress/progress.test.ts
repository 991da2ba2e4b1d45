import { expect, test } from 'vitest'
import { createProgress, type ProgressOptions } from './progress.js'

/** A screen that keeps what was written and a clock that moves when told. */
function stage(options: Partial<ProgressOptions> = {}, columns = 80) {
  const writes: string[] = []
  const clock = { nowMs: 1000 }
  const stream = { columns, write: (text: string) => writes.push(text) }
  const progress = createProgress({
    stream,
    isTty: true,
    total: 240,
    nowMs: () => clock.nowMs,
    color: false,
    ...options,
  })
  const at = (nowMs: number, done: number, failed = 0, running = 2) => {
    clock.nowMs = 1000 + nowMs
    progress.update({ done, running, failed })
  }
  return { writes, stream, progress, at, clock, text: () => writes.join('') }
}

test('a terminal gets one line redrawn in place, and its cursor back', () => {
  const { progress, at, text, clock } = stage()
  at(0, 0)
  at(1000, 30)
  at(2000, 60)
  clock.nowMs = 9000
  progress.finish()
  const [before, ...drawings] = text().split('\r')
  expect(before).toBe('\x1b[?25l')
  expect(drawings).toHaveLength(4)
  for (const drawing of drawings) expect(drawing).toContain('\x1b[K')
  expect(drawings[2]).toContain(' 60/240  running 2  failed 0  30.0 tasks/s  ETA 6 s')
  expect(drawings[3]).toMatch(/ 60\/240 {2}failed 0 {2}7\.5 tasks\/s {2}in 8 s\x1b\[K\n\x1b\[\?25h$/)
})

test('redrawing is rate-limited, but a failure and the last task show at once', () => {
  const { at, writes } = stage()
  at(0, 0)
  const drawn = writes.length
  for (let ms = 1; ms < 80; ms++) at(ms, ms)
  expect(writes).toHaveLength(drawn)
  at(79, 79, 1)
  expect(writes).toHaveLength(drawn + 1)
  at(79.5, 239, 1)
  expect(writes).toHaveLength(drawn + 2)
})

test('a window that is resized is followed', () => {
  const { at, writes, stream } = stage()
  at(0, 10)
  stream.columns = 30
  at(500, 20)
  const line = writes.at(-1)!.replace('\r', '').replace('\x1b[K', '')
  expect(line.length).toBeLessThan(30)
  expect(line).toContain('20/240')
})

test('a log file gets plain lines: every further 10 % or every 2 s', () => {
  const { at, writes, progress, clock } = stage({ isTty: false })
  for (let done = 0; done <= 60; done++) at(done, done)
  expect(writes.map((line) => line.slice(0, 20))).toEqual(['sweep  24/240 (10 %)', 'sweep  48/240 (20 %)'])
  at(2046, 61)
  expect(writes).toHaveLength(2)
  at(2048, 61)
  expect(writes).toHaveLength(3)
  at(3000, 239)
  at(3001, 240)
  clock.nowMs = 4100
  progress.finish()
  expect(writes).toHaveLength(5)
  expect(writes.at(-1)).toBe('sweep 240/240 (100 %)  failed 0  77.4 tasks/s  in 3.1 s\n')
  expect(writes.join('')).not.toMatch(/[\x1b\r]/)
})

test('the rate follows the last seconds, and starts without a bias', () => {
  const { at, writes } = stage({ total: 10_000 }, 100)
  const rate = () => Number(/([\d.]+) tasks\/s/.exec(writes.at(-1)!)![1])
  at(500, 5)
  expect(rate()).toBe(10)
  for (let ms = 1000; ms <= 30_000; ms += 500) at(ms, ms / 100)
  expect(rate()).toBe(10)
  for (let ms = 30_500; ms <= 60_000; ms += 500) at(ms, 300 + ((ms - 30_000) / 1000) * 40)
  expect(rate()).toBeGreaterThan(39)
  expect(rate()).toBeLessThanOrEqual(40)
})

test('a program that leaves early still gives the cursor back, and finishing twice does no harm', () => {
  const before = process.listenerCount('exit')
  const early = stage()
  early.at(0, 1)
  expect(process.listenerCount('exit')).toBe(before + 1)
  const restore = process.listeners('exit').at(-1) as () => void
  restore()
  expect(early.text().endsWith('\x1b[?25h')).toBe(true)
  const { progress, at, writes } = stage()
  at(0, 1)
  progress.finish()
  const written = writes.length
  progress.finish()
  at(5000, 3)
  expect(writes).toHaveLength(written)
  expect(process.listenerCount('exit')).toBe(before)
})
