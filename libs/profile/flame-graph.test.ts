import { expect, test } from 'vitest'

import { renderFlameGraph } from './flame-graph.js'
import { toSpeedscope } from './speedscope.js'

const samples = {
  frames: ['solve (a.ts:3)', 'factor <T> (b.ts:9)', 'tiny (c.ts:1)'],
  stacks: [
    [[0], 200_000],
    [[0, 1], 600_000],
    [[2], 200_000],
    [[0, 2], 10],
  ],
  otherUs: 5,
} as const

const boxes = (svg: string) =>
  [...svg.matchAll(/<title>([^<]*)<\/title><rect x="([\d.]+)" y="(\d+)" width="([\d.]+)"/g)].map(
    ([, title, x, y, width]) => ({
      ...{ title, x: Number(x), y: Number(y), width: Number(width) },
    }),
  )

test('a function is as wide as its share, and what it calls stands below it', () => {
  const [all, solve, factor, tiny] = boxes(renderFlameGraph(samples))
  expect(all).toMatchObject({ title: 'all tasks: 1.00 s, 100.0 %', x: 0, y: 0 })
  expect(solve).toMatchObject({ title: 'solve (a.ts:3): 800 ms, 80.0 %', x: 0, y: 18 })
  expect(solve?.width).toBeCloseTo(960, -1)
  expect(factor).toMatchObject({ title: 'factor &lt;T&gt; (b.ts:9): 600 ms, 60.0 %', x: 0, y: 36 })
  expect(tiny).toMatchObject({ title: 'tiny (c.ts:1): 200 ms, 20.0 %', y: 18 })
  expect(tiny?.x).toBeCloseTo(960, -1)
})

test('what is too narrow to see is not drawn, and nothing is no error', () => {
  expect(boxes(renderFlameGraph(samples))).toHaveLength(4)
  expect(renderFlameGraph({ frames: [], stacks: [], otherUs: 9 })).toMatch(/^<svg [^>]*><\/svg>$/)
})

test('a file for speedscope has every stack with its weight', () => {
  const { shared, profiles } = toSpeedscope(samples, 'study')
  expect(shared.frames[1]).toEqual({ name: 'factor <T> (b.ts:9)' })
  expect(profiles[0]).toMatchObject({
    unit: 'microseconds',
    endValue: 1_000_010,
    weights: [200_000, 600_000, 200_000, 10],
  })
  expect(profiles[0]?.samples[1]).toEqual([0, 1])
})
