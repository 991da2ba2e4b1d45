import { expect, test } from 'vitest'

import { createFetchSpeed } from './fetch-speed.js'

test('the speed follows what large bodies took; small ones and clocks that stand still teach nothing', () => {
  const speed = createFetchSpeed()
  speed.learn(1_000, 1)
  speed.learn(10e6, 0)
  expect(speed.bytesPerSecond).toBe(0)
  speed.learn(10e6, 100)
  expect(speed.bytesPerSecond).toBe(100e6)
  for (let k = 0; k < 50; k++) speed.learn(10e6, 1_000)
  expect(speed.bytesPerSecond / 1e6).toBeCloseTo(10, 1)
})
