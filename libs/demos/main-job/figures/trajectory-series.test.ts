import { expect, test } from 'vitest'
import { linearScale } from '../../report/chart/scale.js'
import type { ReportTrajectory } from '../report-data.js'
import { controlOf, drawSeries, pickEvenly, stateOf } from './trajectory-series.js'

const trajectory: ReportTrajectory = {
  problem: 'vanDerPol',
  label: '',
  taskIndex: 0,
  t: Float64Array.of(0, 1, 2),
  x: Float64Array.of(0, 10, 1, 11, 2, 12),
  u: Float64Array.of(5, 7),
  stateSize: 2,
  controlSize: 1,
}
const axis = linearScale([0, 12], { from: 0, to: 12, ticks: 4 })
const pathOf = (text: string) => / d="([^"]*)"/.exec(text)![1]

test('states and controls are taken out of their rows', () => {
  expect(Array.from(stateOf(trajectory, 1).y as Float64Array)).toEqual([10, 11, 12])
  expect(Array.from(controlOf(trajectory, 0).y as Float64Array)).toEqual([5, 7])
  expect(stateOf(trajectory, 2).y).toHaveLength(0)
})

test('values at points are joined, values between points are steps', () => {
  expect(pathOf(drawSeries(stateOf(trajectory, 0), axis, axis, '').text)).toBe('M0 0L1 1L2 2')
  expect(pathOf(drawSeries(controlOf(trajectory, 0), axis, axis, '').text)).toBe('M0 5L1 5L1 7L2 7')
})

test('a value that is no number leaves a gap instead of a false line', () => {
  const broken = { x: [0, 1, 2, 3, 4], y: [1, 1, Number.NaN, 2, 2] }
  expect(pathOf(drawSeries(broken, axis, axis, '').text)).toBe('M0 1L1 1M3 2L4 2')
})

test('a few are picked evenly, both ends included', () => {
  expect(pickEvenly([0, 1, 2, 3, 4, 5, 6, 7, 8], 3)).toEqual([0, 4, 8])
  expect(pickEvenly([1, 2], 5)).toEqual([1, 2])
})
