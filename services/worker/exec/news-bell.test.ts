import { expect, test } from 'vitest'

import { createNewsBell, raise, ringLater, ringNow, silence } from './news-bell.js'

test('it rings once until it is heard, and once more when something is urgent', () => {
  const bell = createNewsBell()
  const rings = [ringLater, ringLater, ringNow, ringLater, ringNow].map((ring) => raise(bell, ring as 1 | 2))
  expect(rings).toEqual([true, false, true, false, false])
  silence(bell)
  expect(raise(bell, ringLater)).toBe(true)
})
