import { expect, test } from 'vitest'

import { span } from './span.fixture.js'
import type { SpanRecord } from './trace-file.js'
import { renderTraceTree } from './trace-rendering.js'
import { buildTraceTree } from './trace-tree.js'

function render(
  spans: readonly SpanRecord[],
  width: number,
  more: { color?: boolean; maxChildren?: number } = {},
): string {
  return '\n' + renderTraceTree(buildTraceTree(spans, 't'), { width, color: false, ...more }) + '\n'
}

const job = [
  span('submit', 0, 1000, { service: 'client', instanceId: 'c' }),
  span('queue', 0, 250, { parentSpanId: 'submit', service: 'scheduler', instanceId: 's' }),
  span('run-1', 250, 500, { parentSpanId: 'submit', error: 'SingularMatrix: pivot 3 is zero' }),
  span('run-2', 500, 1000, { parentSpanId: 'submit', instanceId: 'w-2' }),
  span('fetch', 250, 260.04, { parentSpanId: 'run-1' }),
]

test('shows who did what, how long, and where in the whole', () => {
  expect(render(job, 80)).toMatchInlineSnapshot(`
    "
    submit                               client         1.00 s  ████████████████████
    ├─ queue                             scheduler    250.0 ms  █████
    ├─ run                               worker w-1   250.0 ms       █████
    │  │  ✗ SingularMatrix: pivot 3 is zero
    │  └─ fetch                          worker w-1    10.0 ms       █
    └─ run                               worker w-2   500.0 ms            ██████████
    "
  `)
})

test('a narrow terminal gets no bars, and no line is longer than it', () => {
  expect(render(job, 48)).toMatchInlineSnapshot(`
    "
    submit                     client         1.00 s
    ├─ queue                   scheduler    250.0 ms
    ├─ run                     worker w-1   250.0 ms
    │  │  ✗ SingularMatrix: pivot 3 is zero
    │  └─ fetch                worker w-1    10.0 ms
    └─ run                     worker w-2   500.0 ms
    "
  `)
  for (const width of [40, 47, 71, 72, 100, 333]) {
    const longest = Math.max(
      ...render(job, width)
        .split('\n')
        .map((line) => line.length),
    )
    expect(longest).toBeLessThanOrEqual(width)
  }
})

test('two hundred like siblings become a few and one line, and what failed among them is shown', () => {
  const runs = Array.from({ length: 200 }, (_, i) =>
    span(`run-${i}`, i, i + 10 + (i % 5), { parentSpanId: 'submit', ...(i === 150 ? { error: 'diverged' } : {}) }),
  )
  const spans = [span('submit', 0, 300), ...runs, span('gather', 250, 300, { parentSpanId: 'submit' })]
  expect(render(spans, 60)).toMatchInlineSnapshot(`
    "
    submit                                     worker   300.0 ms
    ├─ run                                     worker    10.0 ms
    ├─ run                                     worker    11.0 ms
    ├─ run                                     worker    12.0 ms
    ├─ run                                     worker    10.0 ms
    │     ✗ diverged
    ├─ … 196 more run, 12.0 ms median, 14.0 ms max
    └─ gather                                  worker    50.0 ms
    "
  `)
  expect(render(spans, 60, { maxChildren: 1 })).toContain('… 199 more run')
  expect(render(spans, 60, { maxChildren: 200 })).not.toContain('…')
})

test('failures beyond what is shown are counted', () => {
  const failed = Array.from({ length: 10 }, (_, i) => span(`run-${i}`, i, i + 1, { error: 'x' }))
  expect(render(failed, 60)).toContain('… 6 more run, 1.0 ms median, 1.0 ms max, 6 failed')
})

test('durations read well from microseconds to hours', () => {
  const lengthsMs = [0, 0.0426, 12.14, 999.96, 1234, 59_996, 125_000, 3_600_000, 7_530_000]
  const spans = lengthsMs.map((lengthMs, i) => span(`step${i}`, i, i + lengthMs))
  const shown = render(spans, 60).match(/(?<=worker +)\S.*$/gm)
  expect(shown).toEqual(['0.00 ms', '0.04 ms', '12.1 ms', '1.00 s', '1.23 s', '1m 00s', '2m 05s', '1h 00m', '2h 05m'])
})

test('names and errors of user code cannot steer the terminal or break the layout', () => {
  const text = render([span('evil', 0, 1, { name: 'a\u001b[2J\nb\u202e', error: 'x\r\ny' })], 60)
  expect(text).not.toMatch(/[\u001b\r\u202e]/)
  expect(text.trim().split('\n')).toHaveLength(2)
})

test('colors are escape codes around the same text', () => {
  const colored = render(job, 80, { color: true })
  expect(colored).toContain('\u001b[36m')
  expect(colored.replaceAll(/\u001b\[\d+m/g, '').replaceAll(/ +$/gm, '')).toBe(render(job, 80))
})

test('nothing is shown for no spans', () => {
  expect(renderTraceTree([], { width: 80, color: false })).toBe('')
})
