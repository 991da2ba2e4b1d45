import { setImmediate, setTimeout as pause } from 'node:timers/promises'

import { task } from 'costate'

import { burn } from './burn.mjs'

/** About 25 ms of a processor. */
const stepsOfSolve = 6_000_000

/** Gives back what it got: everything that is measured is the mesh. */
export const noop = task(import.meta, 'noop', async (value) => value)

/** One more than it got. */
export const next = task(import.meta, 'next', async (value) => value + 1)

/** The sum of a list of numbers. */
export const sum = task(import.meta, 'sum', async (values) => values.reduce((total, value) => total + value, 0))

/** 0, 1, 2, … as a Float64Array of this length. */
export const ramp = task(import.meta, 'ramp', async (length) => Float64Array.from({ length }, (_, k) => k))

/** The sum of an array. */
export const total = task(import.meta, 'total', async (array) => array.reduce((sum, value) => sum + value, 0))

/** The last element of an array. */
export const lastOf = task(import.meta, 'lastOf', async (array) => array[array.length - 1])

/** Keeps a processor busy. */
export const crunch = task(import.meta, 'crunch', async (steps) => burn(steps))

/** Takes a slot for so long and no processor. */
export const sleep = task(import.meta, 'sleep', async (ms) => void (await pause(ms)))

/** Takes a slot until it is cancelled. */
export const hold = task(
  import.meta,
  'hold',
  async (_, ctx) => void (await pause(2 ** 30, undefined, { signal: ctx.signal })),
)

/** Works in steps on a state of so many bytes, of which it saves a version every so often, or none for 0. */
export const solve = task(import.meta, 'solve', async (steps, stateBytes, everyMs, ctx) => {
  const state = new Float64Array(stateBytes / 8)
  for (let step = 1; step <= steps; step++) {
    state[(step * 7919) % state.length] = burn(stepsOfSolve)
    for (let k = step; k < state.length; k += 4096) state[k] += step
    if (everyMs > 0) void ctx.checkpoint.save(state, { iteration: step, every: { ms: everyMs } })
    await setImmediate()
  }
  return state[0]
})
