import { afterEach, beforeEach, expect, test } from 'vitest'

import { type Rim, startRim } from '../testing/rim.js'

let rim: Rim
beforeEach(async () => {
  rim = await startRim()
})
afterEach(async () => rim.loop.stop())

test('who watches the demand hears at once of a worker that joins an idle mesh', async () => {
  const watch = rim.service.watchDemand({} as never, { signal: new AbortController().signal } as never)
  const demands = watch[Symbol.asyncIterator]()
  expect((await demands.next()).value).toMatchObject({ presentWorkers: 0 })
  let told: unknown
  void demands.next().then(({ value }) => (told = value))
  rim.openLink({ workerId: 'w1' })
  await rim.quiet()
  expect(told).toMatchObject({ presentWorkers: 1, presentSlots: 1 })
})
