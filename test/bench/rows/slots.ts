import assert from 'node:assert/strict'

import { type Cluster, createLocalCluster } from 'costate'

import { startBareBurners } from '../bare-burners.js'
import { burn } from '../burn.mjs'
import { compare } from '../contest.js'
import type { Row } from '../row.js'
import { atLeast, atLeastTimes } from '../target.js'
import { crunch, sleep } from '../tasks.mjs'

const taskMs = 20
const tasks = 100

/** How many steps keep a processor of this machine busy for the length of one task. */
function calibrate(nowMs: () => number): number {
  const steps = 5_000_000
  burn(steps)
  const startMs = nowMs()
  burn(steps)
  return Math.round((steps * taskMs) / (nowMs() - startMs))
}

/** Two workers against one on tasks that need a processor for 20 ms, beside two bare processes against one. */
const speedup2: Row = {
  name: 'speedup-2',
  unit: '×',
  target: atLeastTimes(0.97, 'bare run'),
  measure: async (context) => {
    const { nowMs } = context
    const steps = calibrate(nowMs)
    const expected = burn(steps)
    context.say(`clusters start; ${steps} steps a task`)
    await using one = await createLocalCluster({ workers: 1, runDir: `${context.runDir}/one` })
    await using two = await createLocalCluster({ workers: 2, runDir: `${context.runDir}/two` })
    await using bare = startBareBurners(2)
    const secondsOn = async (cluster: Cluster): Promise<number> => {
      const inputs = Array.from({ length: tasks }, () => steps)
      const startMs = nowMs()
      const futures = cluster.map(crunch, inputs)
      const results = await cluster.gather(futures)
      const seconds = (nowMs() - startMs) / 1000
      assert(results.every((result) => result === expected))
      futures[0]?.job.release()
      return seconds
    }
    const bareSeconds = async (processes: number): Promise<number> => {
      const startMs = nowMs()
      const sums = await bare.run(processes, { tasks: tasks / processes, steps })
      const seconds = (nowMs() - startMs) / 1000
      assert.equal(sums.length, processes)
      return seconds
    }
    const ours = async (): Promise<number> => (await secondsOn(one)) / (await secondsOn(two))
    const theirs = { name: 'bare run', run: async () => (await bareSeconds(1)) / (await bareSeconds(2)) }
    return { cases: [await compare({ warmUps: 1, repeats: 9, ours, theirs }, context)] }
  },
}

const sleepMs = 100
const sleepers = { workers: 8, threadsPerWorker: 8 }
const slots = sleepers.workers * sleepers.threadsPerWorker
const rounds = 20

/** How much of the time 64 slots, in eight processes, are asleep when there are 20 tasks of 100 ms for each. */
const efficiency64: Row = {
  name: 'efficiency-64',
  unit: '',
  target: atLeast(0.95, ''),
  measure: async (context) => {
    context.say('cluster starts')
    await using cluster = await createLocalCluster({ ...sleepers, runDir: context.runDir })
    const ours = async (): Promise<number> => {
      const inputs = Array.from({ length: slots * rounds }, () => sleepMs)
      const startMs = context.nowMs()
      const futures = cluster.map(sleep, inputs)
      await cluster.gather(futures)
      const ms = context.nowMs() - startMs
      futures[0]?.job.release()
      return (rounds * sleepMs) / ms
    }
    return { cases: [await compare({ warmUps: 1, ours, theirs: undefined }, context)] }
  },
}

export const slotRows: readonly Row[] = [speedup2, efficiency64]
