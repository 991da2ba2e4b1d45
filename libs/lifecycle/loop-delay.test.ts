import { expect, test } from 'vitest'

import { createLoopDelay } from './loop-delay.js'

/** The loop turns as often as the timer needs. */
const turn = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

test('a loop that stood still was that late, once', async () => {
  const delay = createLoopDelay()
  await turn(50)
  delay.takeMaxMs()
  await turn(50)
  const untilMs = Date.now() + 300
  while (Date.now() < untilMs);
  await turn(50)
  expect(delay.takeMaxMs()).toBeGreaterThan(200)
  await turn(50)
  expect(delay.takeMaxMs()).toBeLessThan(200)
  delay.close()
})
