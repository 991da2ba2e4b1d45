import { expect, test } from 'vitest'
import { compileModel } from './model.js'
import { defineProblem, type OptimalControlProblem } from './problem.js'

const costless: OptimalControlProblem = {
  name: 'integrator',
  states: ['x'],
  controls: ['u'],
  horizon: 1,
  dynamics: () => ({ x: 1 }),
}
const sound: OptimalControlProblem = { ...costless, runningCost: () => 1 }

test('a sound problem is handed back as it is', () => {
  expect(defineProblem(sound)).toBe(sound)
})

test.each<[string, Partial<OptimalControlProblem>]>([
  ['states', { states: [] }],
  ['states', { states: ['x', 'x'] }],
  ['controls', { controls: ['u', 'u'] }],
  ['horizon', { horizon: 0 }],
  ['horizon', { horizon: Infinity }],
  ['stateBounds.y', { stateBounds: { y: { lower: 0 } } }],
  ['stateBounds.x', { stateBounds: { x: { lower: 1, upper: 0 } } }],
  ['controlBounds.u', { controlBounds: { u: { lower: NaN } } }],
  ['controlBounds.u', { controlBounds: { u: { upper: -Infinity } } }],
  ['initial.x', { initial: { x: NaN } }],
  ['final.z', { final: { z: 1 } }],
])('a malformed %s is refused by name', (field, change) => {
  expect(() => defineProblem({ ...sound, ...change })).toThrow(RangeError)
  expect(() => defineProblem({ ...sound, ...change })).toThrow(new RegExp(`^${field} `))
})

test('a problem without any cost is refused', () => {
  expect(() => defineProblem(costless)).toThrow(/^runningCost and terminalCost are both missing/)
})

test('dynamics that forget a state are refused with its name', () => {
  expect(() => compileModel({ ...sound, dynamics: () => ({}) })).toThrow(
    /^dynamics gives no derivative for the state x/,
  )
})
