import { describeStep, type Script, writeScript } from './script.js'
import { shrink } from './shrink.js'
import { Simulation } from './simulation.js'

const shownLines = 150
const mostTries = 1_000

/** Runs a seed. Returns what went wrong, for people: the smallest script that fails as well, and its end. */
export function runSeed(seed: number): string | undefined {
  if (failureOf(seed, writeScript(seed)) === undefined) return undefined
  const script = shrink(writeScript(seed), (smaller) => failureOf(seed, smaller) !== undefined, mostTries)
  const { error, story, nowMs } = failureOf(seed, script, true)!
  return [
    `seed ${seed} fails; to see it again: make sim FIRST=${seed} SEEDS=1`,
    `shrunk to ${script.workers} workers and ${script.steps.length} steps:`,
    ...script.steps.map(describeStep),
    'how it went in the end:',
    ...story.slice(-shownLines),
    `at ${nowMs.toFixed(0)} ms: ${String((error as Error).stack)}`,
  ].join('\n')
}

function failureOf(seed: number, script: Script, notes = false) {
  const simulation = new Simulation(seed, script, notes)
  const { world } = simulation
  try {
    simulation.run()
    return undefined
  } catch (error) {
    return { error, story: world.story, nowMs: world.nowMs }
  }
}
