import { expect, test } from 'vitest'

import { createLoopDelay } from './loop-delay.js'

/** A stand-still before the first look does not count, and a busy machine makes others of its own. */
const patience = { timeout: 30_000, interval: 150 }

function standStill(ms: number): number {
  const untilMs = Date.now() + ms
  while (Date.now() < untilMs);
  return 0
}

test('a loop that stood still was that late, once, from the first question on', { timeout: 60_000 }, async () => {
  const delay = createLoopDelay()
  expect(delay.takeMaxMs()).toBe(0)
  let looks = 0
  // Between two looks of this test the loop turns, and is looked at.
  const look = (): number => (++looks % 2 === 1 ? standStill(400) : delay.takeMaxMs())
  await expect.poll(look, patience).toBeGreaterThan(200)
  await expect.poll(() => delay.takeMaxMs(), patience).toBeLessThan(200)
  delay.close()
})
