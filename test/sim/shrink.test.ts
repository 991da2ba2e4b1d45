import { expect, test } from 'vitest'

import { type Script, writeScript } from './script.js'
import { shrink } from './shrink.js'

const script = writeScript(7)
const [early, late] = [script.steps[3]!, script.steps.at(-2)!]
const fails = ({ steps }: Script): boolean => steps.includes(early) && steps.includes(late)

test('a failing script is shrunk to the steps that make it fail', () => {
  expect(shrink(script, fails, 1_000)).toEqual({ stormMs: script.stormMs, workers: 1, steps: [early, late] })
})

test('shrinking ends after so many tries, with something that fails', () => {
  let tries = 0
  const shrunk = shrink(
    script,
    (smaller) => {
      tries++
      return fails(smaller)
    },
    5,
  )
  expect(tries).toBeLessThanOrEqual(5)
  expect(fails(shrunk)).toBe(true)
})
