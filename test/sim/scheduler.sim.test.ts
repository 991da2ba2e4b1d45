import { expect, test } from 'vitest'

import { runSeed } from './run-seed.js'
import { Simulation } from './simulation.js'

const seeds = 300

test(`what was promised comes true after any storm (${seeds} seeds)`, () => {
  const failed: string[] = []
  for (let seed = 1; seed <= seeds && failed.length === 0; seed++) failed.push(...[runSeed(seed) ?? []].flat())
  expect(failed.join('\n')).toBe('')
}, 600_000)

test('the same seed is the same storm', () => {
  const stories = [1, 1, 2].map((seed) => {
    const simulation = new Simulation(seed)
    simulation.run()
    return simulation.world.story
  })
  expect(stories[0]).toEqual(stories[1])
  expect(stories[0]).not.toEqual(stories[2])
})
