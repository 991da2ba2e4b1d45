import { expect, test } from 'vitest'

import { residentBytesOf } from './process-facts.js'

test('the resident memory of this process is that of a Node process', async () => {
  const bytes = await residentBytesOf(process.pid)
  expect(bytes).toBeGreaterThan(20e6)
  expect(bytes).toBeLessThan(4e9)
})

test('a process that has ended has no memory to measure', async () => {
  await expect(residentBytesOf(2 ** 30)).rejects.toThrow('ended before its memory was measured')
})
