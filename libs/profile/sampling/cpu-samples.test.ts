import fc from 'fast-check'
import { expect, test } from 'vitest'

import { SampleSum } from './cpu-samples.js'

const totalUs = (samples: ReturnType<SampleSum['total']>) =>
  samples.stacks.reduce((sum, [, us]) => sum + us, samples.otherUs)

test('equal stacks are one, and each function is named once', () => {
  const sum = new SampleSum()
  sum.add(['solve', 'factor'], 300)
  sum.add(['solve', 'factor'], 200)
  sum.add(['solve'], 10)
  sum.add([], 5)
  expect(sum.total()).toEqual({
    frames: ['solve', 'factor'],
    stacks: [
      [[0, 1], 500],
      [[0], 10],
    ],
    otherUs: 5,
  })
})

test('what several slots saved adds up', () => {
  const [a, b, both] = [new SampleSum(), new SampleSum(), new SampleSum()]
  a.add(['solve', 'factor'], 300)
  b.add(['other'], 1)
  b.add(['solve', 'factor'], 30)
  both.addAll(a.total())
  both.addAll(b.total())
  expect(both.total()).toEqual({
    frames: ['solve', 'factor', 'other'],
    stacks: [
      [[0, 1], 330],
      [[2], 1],
    ],
    otherUs: 0,
  })
})

test('however many stacks there are, few are kept, no time is lost, and the longest stay whole', () => {
  fc.assert(
    fc.property(fc.integer({ min: 8_001, max: 9_000 }), (count) => {
      const sum = new SampleSum()
      sum.add(['solve', 'hot', 'hotter'], 1e9)
      for (let nth = 0; nth < count; nth++) sum.add(['solve', `f${nth % 100}`, `g${nth}`], 1 + (nth % 7))
      const samples = sum.total()
      expect(samples.stacks.length).toBeLessThanOrEqual(4_000)
      const all = 1e9 + Array.from({ length: count }, (_, nth) => 1 + (nth % 7)).reduce((a, c) => a + c, 0)
      expect(totalUs(samples)).toBe(all)
      const hot = samples.stacks.find(([, us]) => us === 1e9)
      expect(hot?.[0].map((place) => samples.frames[place])).toEqual(['solve', 'hot', 'hotter'])
    }),
    { numRuns: 5 },
  )
})
