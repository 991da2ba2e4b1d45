import { expect, test } from 'vitest'

import { Simulation } from './simulation.js'

/** SEEDS runs are made, the first with the seed FIRST. */
const seeds = Number(process.env['SEEDS'] ?? 300)
const first = Number(process.env['FIRST'] ?? 1)
const shownLines = 60

test(`what was promised comes true after any storm (seeds ${first} to ${first + seeds - 1})`, () => {
  let clean = 0
  for (let seed = first; seed < first + seeds; seed++) {
    const simulation = new Simulation(seed)
    try {
      simulation.run()
      clean++
    } catch (error) {
      const story = simulation.world.story.slice(-shownLines).join('\n')
      const again = `FIRST=${seed} SEEDS=1 npx vitest run --project unit test/sim/scheduler.sim.test.ts`
      throw new Error(`seed ${seed} at ${simulation.world.nowMs} ms; to see it again: ${again}\n${story}`, {
        cause: error,
      })
    }
  }
  expect(clean).toBe(seeds)
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
