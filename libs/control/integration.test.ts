import { expect, test } from 'vitest'

import { integrateAdaptive } from './adaptive-integration.js'
import { integrateFixed, type Rates } from './integration.js'

const oscillator: Rates = (_t, x, out) => {
  out[0] = x[1]!
  out[1] = -x[0]!
}
const start = Float64Array.of(1, 0)

test('the error of fixed steps falls with their fourth power', () => {
  const errorOf = (steps: number): number => {
    const { x } = integrateFixed(oscillator, { from: 0, to: 2 }, start, steps)
    return Math.abs(x[2 * steps]! - Math.cos(2))
  }
  expect(errorOf(50) / errorOf(100)).toBeGreaterThan(15)
  expect(errorOf(50) / errorOf(100)).toBeLessThan(17)
})

test('adaptive steps keep to the tolerance, also between them and backwards', () => {
  const forth = integrateAdaptive(oscillator, { from: 0, to: 10 }, start, { relativeTolerance: 1e-10 })
  for (const t of [0, 0.1234, 3, 7.77, 10]) expect(forth.at(t)[0]).toBeCloseTo(Math.cos(t), 8)
  const last = forth.x.subarray(forth.x.length - 2)
  const back = integrateAdaptive(oscillator, { from: 10, to: 0 }, last, { relativeTolerance: 1e-10 })
  expect(back.x[back.x.length - 2]).toBeCloseTo(1, 8)
  expect(back.at(5)[1]).toBeCloseTo(-Math.sin(5), 8)
})

test('tighter tolerances take more steps and come closer', () => {
  const run = (relativeTolerance: number): { error: number; steps: number } => {
    const { x, steps } = integrateAdaptive(oscillator, { from: 0, to: 20 }, start, {
      relativeTolerance,
      absoluteTolerance: 1e-14,
    })
    return { error: Math.abs(x[2 * steps]! - Math.cos(20)), steps }
  }
  const [loose, tight] = [run(1e-5), run(1e-9)]
  expect(tight.steps).toBeGreaterThan(3 * loose.steps)
  expect(tight.error).toBeLessThan(loose.error / 100)
})

test('the Arenstorf orbit closes after its period (Hairer, Nørsett & Wanner, section II.0)', () => {
  const mu = 0.012277471
  const orbit: Rates = (_t, x, out) => {
    const [y1, y2, v1, v2] = x as unknown as [number, number, number, number]
    const d1 = Math.hypot(y1 + mu, y2) ** 3
    const d2 = Math.hypot(y1 - 1 + mu, y2) ** 3
    out[0] = v1
    out[1] = v2
    out[2] = y1 + 2 * v2 - ((1 - mu) * (y1 + mu)) / d1 - (mu * (y1 - 1 + mu)) / d2
    out[3] = y2 - 2 * v1 - ((1 - mu) * y2) / d1 - (mu * y2) / d2
  }
  const from = Float64Array.of(0.994, 0, 0, -2.00158510637908252240537862224)
  const period = 17.0652165601579625588917206249
  const options = { relativeTolerance: 1e-12, absoluteTolerance: 1e-12 }
  const { x, rejectedSteps } = integrateAdaptive(orbit, { from: 0, to: period }, from, options)
  expect(x[x.length - 4]).toBeCloseTo(0.994, 4)
  expect(x[x.length - 3]).toBeCloseTo(0, 3)
  expect(rejectedSteps).toBeGreaterThan(0)
})

test('events are found where they are, in order, and a terminal one ends the trajectory', () => {
  const { events, t } = integrateAdaptive(oscillator, { from: 0, to: 100 }, start, {
    relativeTolerance: 1e-11,
    absoluteTolerance: 1e-13,
    events: {
      'crosses downwards': { value: (_t, x) => x[0]!, direction: 'falling' },
      'is at rest': { value: (_t, x) => x[1]!, direction: 'rising', terminal: true },
    },
  })
  expect(events.map(({ name }) => name)).toEqual(['crosses downwards', 'is at rest'])
  expect(events[0]!.t).toBeCloseTo(Math.PI / 2, 9)
  expect(events[1]!.t).toBeCloseTo(Math.PI, 9)
  expect(t[t.length - 1]).toBe(events[1]!.t)
})

const pole: Rates = (_t, x, out) => {
  out[0] = x[0]! ** 2
}
test.each([
  ['a pole', () => integrateAdaptive(pole, { from: 0, to: 2 }, Float64Array.of(1)), /too small at t = (0\.99|1)/],
  [
    'a pole with fixed steps',
    () => integrateFixed(pole, { from: 0, to: 4 }, Float64Array.of(1), 40),
    /not finite after step/,
  ],
  [
    'too many steps',
    () => integrateAdaptive(oscillator, { from: 0, to: 100 }, start, { maxSteps: 10 }),
    /10 steps reach only/,
  ],
  ['no steps', () => integrateFixed(oscillator, { from: 0, to: 1 }, start, 0), /steps is 0/],
  ['no time', () => integrateFixed(oscillator, { from: 1, to: 1 }, start, 2), /the span is from 1 to 1/],
  [
    'a tolerance of nothing',
    () => integrateAdaptive(oscillator, { from: 0, to: 1 }, start, { relativeTolerance: 0 }),
    /relativeTolerance/,
  ],
  ['a time outside', () => integrateAdaptive(oscillator, { from: 0, to: 1 }, start).at(2), /t = 2 is outside/],
])('%s is refused with its reason', (_name, run, reason) => {
  expect(run).toThrow(reason)
})
