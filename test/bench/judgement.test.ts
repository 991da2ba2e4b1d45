import { expect, test } from 'vitest'

import { isMet, judge, ratioOf, worstOf } from './judgement.js'
import type { Case } from './measurement.js'
import { atLeast, atLeastTimes, atMost, atMostPart, atMostTimes } from './target.js'

const against = (ours: number, theirs: number | null): Case => ({ ours, peer: theirs === null ? null : 'Dask', theirs })

test('a ratio above 1 is better, whichever direction the unit goes', () => {
  expect(ratioOf(atLeastTimes(30, 'Dask'), 18_900, 630)).toBe(30)
  expect(ratioOf(atMostPart(8, 'Dask'), 1.2, 10.8)).toBeCloseTo(9)
  expect(ratioOf(atMost(0.5, 's'), 0.4, 0.8)).toBe(2)
  expect(ratioOf(atLeast(0.95, ''), 0.9, 1)).toBe(0.9)
})

test('a target that names a peer is judged on the ratio', () => {
  expect(isMet(atLeastTimes(30, 'Dask'), against(18_900, 630))).toBe(true)
  expect(isMet(atLeastTimes(30, 'Dask'), against(18_899, 630))).toBe(false)
  expect(isMet(atMostPart(8, 'Dask'), against(1.35, 10.8))).toBe(true)
  expect(isMet(atMostPart(8, 'Dask'), against(1.36, 10.8))).toBe(false)
  expect(isMet(atMostTimes(1.5, 'Dask'), against(1.5, 1))).toBe(true)
  expect(isMet(atMostTimes(1.5, 'Dask'), against(1.51, 1))).toBe(false)
})

test('every other target is judged on our own figure, whatever the peer does', () => {
  expect(isMet(atMost(0.5, 's'), against(0.5, 0.1))).toBe(true)
  expect(isMet(atMost(0.5, 's'), against(0.51, 5))).toBe(false)
  expect(isMet(atLeast(0.95, ''), against(0.95, null))).toBe(true)
  expect(isMet(atLeast(0.95, ''), against(0.94, null))).toBe(false)
})

test('without its peer a row is not judged, unless it is judged on its own', () => {
  expect(isMet(atLeastTimes(30, 'Dask'), against(1e6, null))).toBeNull()
  expect(isMet(atMost(100, 'MB'), against(80, null))).toBe(true)
})

test('of several cases the worst counts: by ratio where a peer is named, else by our figure', () => {
  const small = { name: 'small', ours: 100, peer: 'Dask', theirs: 10 }
  const large = { name: 'large', ours: 200, peer: 'Dask', theirs: 100 }
  expect(worstOf(atLeastTimes(1, 'Dask'), [small, large])).toBe(large)
  expect(worstOf(atMostTimes(1, 'Dask'), [small, large])).toBe(small)
  expect(worstOf(atLeast(50, 'MB/s'), [large, small])).toBe(small)
  expect(worstOf(atMost(50, 'ms'), [small, large])).toBe(large)
})

test('a judged row has every column, null where the peer is missing', () => {
  const row = { name: 'noop-map-10k', unit: 'tasks/s', target: atLeastTimes(30, 'Dask') }
  expect(judge(row, { cases: [{ ours: 20_123.456, peer: 'Dask', theirs: 630.9 }] })).toEqual({
    name: 'noop-map-10k',
    ours: 20_120,
    unit: 'tasks/s',
    peer: 'Dask',
    theirs: 630.9,
    ratio: 31.9,
    target: '≥ 30× Dask',
    met: true,
  })
  const alone = judge(row, { cases: [{ ours: 20_123.456, peer: null, theirs: null }], note: 'n' })
  expect(alone).toMatchObject({ peer: null, theirs: null, ratio: null, met: null, note: 'n' })
})

test('rounding for the report does not change the verdict', () => {
  const row = { name: 'cluster-start', unit: 's', target: atMost(0.5, 's') }
  expect(judge(row, { cases: [{ ours: 0.500_01, peer: null, theirs: null }] })).toMatchObject({ ours: 0.5, met: false })
})

test('the note says which case was the worst', () => {
  const row = { name: 'copy', unit: 'MB/s', target: atLeast(1, 'MB/s') }
  const cases = [
    { name: 'cold', ours: 2, peer: null, theirs: null },
    { name: 'warm', ours: 3, peer: null, theirs: null },
  ]
  expect(judge(row, { cases, note: 'no CRC' })).toMatchObject({ ours: 2, note: 'worst: cold; no CRC' })
})
