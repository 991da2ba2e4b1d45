import { expect, test } from 'vitest'

import { atLeast, atLeastTimes, atMost, atMostFigure, atMostPart, atMostTimes } from './target.js'

test('a target reads as people write it', () => {
  const targets = [
    atLeastTimes(30, 'Dask'),
    atMostTimes(1.5, 'Dask'),
    atMostPart(8, 'Dask'),
    atMostFigure('Dask', 'p50'),
    atMost(0.5, 's'),
    atLeast(0.95, ''),
  ]
  expect(targets.map(({ text }) => text)).toEqual([
    ...['≥ 30× Dask', '≤ 1.5× Dask', '≤ 1/8 of Dask', "≤ Dask's p50", '≤ 0.5 s', '≥ 0.95'],
  ])
})
