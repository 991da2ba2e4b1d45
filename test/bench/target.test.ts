import { expect, test } from 'vitest'

import { atLeast, atLeastTimes, atMost, atMostPart, atMostTimes } from './target.js'

test('a target reads as people write it', () => {
  const targets = [
    atLeastTimes(30, 'Dask'),
    atMostTimes(1.5, 'Dask'),
    atMostPart(8, 'Dask'),
    atLeast(0.95, ''),
    atMost(0.5, 's'),
  ]
  expect(targets.map(({ text }) => text)).toEqual(['≥ 30× Dask', '≤ 1.5× Dask', '≤ 1/8 of Dask', '≥ 0.95', '≤ 0.5 s'])
})
