import { describeStep, type Script, writeScript } from './script.js'
import { shrink } from './shrink.js'
import { Simulation } from './simulation.js'

const shownLines = 150
const mostTries = 1_000
/**
 * The invariants of the scheduler take half of a run. What breaks one stays broken, mostly: so many seeds of a row check them
 * after as many batches, and one after each.
 */
const checkEvery = 16

/** Runs a seed. Returns what went wrong, for people: the smallest script that fails as well, and its end. */
export function runSeed(seed: number): string | undefined {
  const first = failureOf(seed, writeScript(seed), { checkEvery: seed % checkEvery === 0 ? 1 : checkEvery })
  if (first === undefined) return undefined
  const script = shrink(writeScript(seed), (smaller) => failureOf(seed, smaller) !== undefined, mostTries)
  const { error, story, nowMs } = failureOf(seed, script, { notes: true }) ?? first
  return [
    `seed ${seed} fails; to see it again: make sim FIRST=${seed} SEEDS=1`,
    `shrunk to ${script.workers} workers and ${script.steps.length} steps:`,
    ...script.steps.map(describeStep),
    'how it went in the end:',
    ...story.slice(-shownLines),
    `at ${nowMs.toFixed(0)} ms: ${String((error as Error).stack)}`,
  ].join('\n')
}

function failureOf(seed: number, script: Script, look: ConstructorParameters<typeof Simulation>[2] = {}) {
  const simulation = new Simulation(seed, script, look)
  const { world } = simulation
  try {
    simulation.run()
    return undefined
  } catch (error) {
    return { error, story: world.story, nowMs: world.nowMs }
  }
}
