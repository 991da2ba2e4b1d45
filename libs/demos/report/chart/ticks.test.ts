import fc from 'fast-check'
import { expect, test } from 'vitest'
import { logTicks, niceTicks } from './ticks.js'

const labels = (ticks: { label: string }[]) => ticks.map(({ label }) => label)

test('ticks are round and carry no rounding dust', () => {
  expect(labels(niceTicks(0, 1, 5))).toEqual(['0.0', '0.2', '0.4', '0.6', '0.8', '1.0'])
  expect(niceTicks(0, 0.4, 4).map(({ value }) => value)).toEqual([0, 0.1, 0.2, 0.3, 0.4])
  expect(labels(niceTicks(-16.7, 0.3, 4))).toEqual(['−15', '−10', '−5', '0'])
  expect(labels(niceTicks(-0.02, 0.02, 4))).toEqual(['−0.02', '−0.01', '0.00', '0.01', '0.02'])
  expect(labels(niceTicks(0, 6500, 3))).toEqual(['0', '5000'])
  expect(labels(niceTicks(3, 3, 5))).toEqual(['3.000'])
})

test('very large and very small steps are labelled with exponents', () => {
  expect(labels(niceTicks(0, 4e7, 2))).toEqual(['0', '20000000', '40000000'])
  expect(labels(niceTicks(0, 2e-8, 2))).toEqual(['0', '1e−8', '2e−8'])
})

test('for any range ticks rise by even steps inside it, and are not many more than wanted', () => {
  const finite = fc.double({ min: -1e9, max: 1e9, noNaN: true })
  fc.assert(
    fc.property(
      finite,
      fc.double({ min: 1e-3, max: 1e9, noNaN: true }),
      fc.integer({ min: 2, max: 12 }),
      (min, span, wanted) => {
        const max = min + span
        const values = niceTicks(min, max, wanted).map(({ value }) => value)
        const slack = Math.max(1e-6 * span, 1e-11 * Math.max(Math.abs(min), Math.abs(max)))
        expect(values.length).toBeLessThanOrEqual(wanted + 1)
        for (const value of values) {
          expect(value).toBeGreaterThanOrEqual(min - slack)
          expect(value).toBeLessThanOrEqual(max + slack)
        }
        const steps = values.slice(1).map((value, i) => value - values[i]!)
        for (const step of steps) expect(Math.abs(step - steps[0]!)).toBeLessThanOrEqual(slack)
      },
    ),
    { numRuns: 300, seed: 20261122 },
  )
})

test('a log axis has powers of ten, thinned out evenly', () => {
  expect(labels(logTicks(1e-3, 100, 9))).toEqual(['10⁻³', '10⁻²', '10⁻¹', '1', '10¹', '10²'])
  expect(labels(logTicks(1e-16, 1, 6))).toEqual(['10⁻¹⁵', '10⁻¹²', '10⁻⁹', '10⁻⁶', '10⁻³', '1'])
})
