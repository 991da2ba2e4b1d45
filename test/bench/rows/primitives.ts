import assert from 'node:assert/strict'

import { distributedOptimization, monteCarlo } from 'costate/primitives'

import { startBareBurners } from '../bare-burners.js'
import { burn } from '../burn.mjs'
import { compare } from '../contest.js'
import { askDask, startCluster, workers } from '../contestants.js'
import type { Row } from '../row.js'
import { atMostTimes } from '../target.js'
import { busySphere, payoff, payoffs } from '../tasks.mjs'

/** Until V8 has compiled what is called: each of the first runs is faster than the one before. */
const warmUps = 5
const samples = 1_000_000
/** Of the mean of so many payoffs; two estimates differ by more than six of it once in a hundred million times. */
const standardError = 0.01

/** A million samples in batches that size themselves, against a loop of a user's own in one task for each worker. */
const monteCarlo1m: Row = {
  name: 'montecarlo-1m',
  unit: 's',
  target: atMostTimes(1.1, 'split by hand'),
  measure: async (context) => {
    context.say('cluster starts')
    await using cluster = await startCluster(context)
    let seed = 0
    let estimate = NaN
    const ours = async (): Promise<number> => {
      const startMs = context.nowMs()
      const { mean, n } = await monteCarlo({ cluster, sample: payoff, n: samples, seed: seed++ })
      const seconds = (context.nowMs() - startMs) / 1000
      assert.equal(n, samples)
      estimate = mean
      return seconds
    }
    const byHand = async (): Promise<number> => {
      const startMs = context.nowMs()
      const futures = cluster.with({ seed: seed++ }).map(payoffs, Array<number>(workers).fill(samples / workers))
      const parts = await cluster.gather(futures)
      const mean = parts.reduce((sum, part) => sum + part.mean / workers, 0)
      const seconds = (context.nowMs() - startMs) / 1000
      assert(Math.abs(mean - estimate) < 6 * Math.SQRT2 * standardError)
      futures[0]?.job.release()
      return seconds
    }
    const peer = { name: 'split by hand', run: byHand }
    const cases = [await compare({ warmUps, ours, theirs: peer }, context)]
    const dask = await askDask(context, 'monte_carlo', { samples, batches: 8 })
    return { cases, ...(dask && { note: `Dask with NumPy, as many samples in 8 batches: ${dask.toFixed(3)} s` }) }
  },
}

const population = 1_000
const dimension = 10

/** One generation of a thousand evaluations that keep a processor busy for 1 ms, against the loop in one process ÷ slots. */
const cmaes1000: Row = {
  name: 'cmaes-1000',
  unit: 's',
  target: atMostTimes(1.1, 'loop ÷ slots'),
  measure: async (context) => {
    const { nowMs } = context
    const steps = stepsOfMs(nowMs)
    context.say(`cluster starts; ${steps} steps an evaluation`)
    await using cluster = await startCluster(context)
    await using bare = startBareBurners(1)
    const axes = Object.fromEntries(Array.from({ length: dimension }, (_, j) => [`x${j}`, [0, 1] as const]))
    const ours = async (): Promise<number> => {
      const startMs = nowMs()
      const { history, failures } = await distributedOptimization({
        ...{ cluster, objective: busySphere, method: 'cmaes', nSamples: population, populationSize: population },
        parameterRanges: { ...axes, steps: { values: [steps] } },
      })
      const seconds = (nowMs() - startMs) / 1000
      assert.equal(history.length, population)
      assert.equal(failures.length, 0)
      return seconds
    }
    const loop = async (): Promise<number> => {
      const startMs = nowMs()
      await bare.run(1, { tasks: population, steps })
      return (nowMs() - startMs) / 1000 / workers
    }
    const cases = [await compare({ warmUps, ours, theirs: { name: 'loop ÷ slots', run: loop } }, context)]
    const dask = await askDask(context, 'spins', { tasks: population, milliseconds: 1 })
    return { cases, ...(dask && { note: `Dask, as many tasks that spin for 1 ms: ${dask.toFixed(3)} s` }) }
  },
}

/** How many steps keep a processor of this machine busy for a millisecond. */
function stepsOfMs(nowMs: () => number): number {
  const steps = 5_000_000
  burn(steps)
  const startMs = nowMs()
  burn(steps)
  return Math.round(steps / (nowMs() - startMs))
}

export const primitiveRows: readonly Row[] = [monteCarlo1m, cmaes1000]
