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

/** What an Asian call on twelve months of a geometric Brownian motion pays: twelve normal numbers and as many exponentials. */
function asianCall(rng) {
  let price = 100
  let sum = 0
  for (let month = 0; month < 12; month++) {
    price *= Math.exp(0.0025 + 0.0577 * rng.normal())
    sum += price
  }
  return Math.max(0, sum / 12 - 100)
}

/** One sample of it. */
export const payoff = task(import.meta, 'payoff', (_, ctx) => asianCall(ctx.rng))

/** So many of them in a loop, as who splits the loop by hand writes it: count, mean, sum of squared deviations. */
export const payoffs = task(import.meta, 'payoffs', async (count, { rng }) => {
  let mean = 0
  let squares = 0
  for (let k = 1; k <= count; k++) {
    const value = asianCall(rng)
    const delta = value - mean
    mean += delta / k
    squares += delta * (value - mean)
  }
  return { count, mean, squares }
})

/**
 * An objective that keeps a processor busy for some steps: the distance from the middle. The steps come last: with a call between
 * them and the end of the function, V8 keeps the value of the loop in memory once it compiles both as one, and a step takes 2.6 times as
 * long from the two thousandth call on.
 */
export const busySphere = task(import.meta, 'busySphere', async ({ steps, ...parameters }) => {
  const distance = Object.values(parameters).reduce((sum, x) => sum + (x - 0.5) ** 2, 0)
  return burn(steps) < 0 ? Infinity : distance
})
