import { expect, test } from 'vitest'

import { createLoopDelay } from './loop-delay.js'

function standStill(ms: number): number {
  const untilMs = Date.now() + ms
  while (Date.now() < untilMs);
  return 0
}

test('a loop that stood still was that late, once, from the first question on', async () => {
  const delay = createLoopDelay()
  expect(delay.takeMaxMs()).toBe(0)
  let looks = 0
  // Between two looks of this test the loop turns, and is looked at.
  await expect.poll(() => (++looks % 2 === 1 ? standStill(400) : delay.takeMaxMs())).toBeGreaterThan(200)
  await expect.poll(() => delay.takeMaxMs()).toBeLessThan(200)
  delay.close()
})
