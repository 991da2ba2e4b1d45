import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'

import { compare } from '../contest.js'
import { daskSide, newDaskSide, startCluster, withBoth, workers } from '../contestants.js'
import { residentBytesOf } from '../process-facts.js'
import type { Row } from '../row.js'
import { atMost } from '../target.js'

const pollMs = 20
/** By then what starts after the worker has joined, such as its threads, has started too. */
const settleMs = 1_000

/** One worker process more in a running cluster, from its spawn until the scheduler counts it. */
const workerStart: Row = {
  name: 'worker-start',
  unit: 's',
  target: atMost(0.5, 's'),
  measure: (context) =>
    withBoth(context, async ({ cluster, dask }) => {
      const ours = async (): Promise<number> => {
        const startMs = context.nowMs()
        await cluster.scale(workers + 1)
        await cluster.waitForWorkers(workers + 1)
        const seconds = (context.nowMs() - startMs) / 1000
        await cluster.scale(workers)
        while ((await cluster.workers()).length > workers) await pause(pollMs)
        return seconds
      }
      const theirs = daskSide(dask, 'add_worker', {}, ([seconds = NaN]) => seconds)
      return { cases: [await compare({ warmUps: 1, ours, theirs }, context)] }
    }),
}

/** What a worker that has done nothing yet keeps resident: the larger of a new cluster's two, as the system counts it. */
const workerRssIdle: Row = {
  name: 'worker-rss-idle',
  unit: 'MB',
  target: atMost(100, 'MB'),
  measure: async (context) => {
    const ours = async (): Promise<number> => {
      await using cluster = await startCluster(context)
      await pause(settleMs)
      const pids = (await cluster.workers()).map(({ pid }) => pid)
      assert.equal(pids.length, workers)
      return Math.max(...(await Promise.all(pids.map(residentBytesOf)))) / 1e6
    }
    const theirs = newDaskSide(context, async (dask) => {
      await dask.ask('start', { workers })
      await pause(settleMs)
      return Math.max(...(await dask.ask('worker_memory'))) / 1e6
    })
    return { cases: [await compare({ warmUps: 1, ours, theirs }, context)] }
  },
}

export const workerProcessRows: readonly Row[] = [workerStart, workerRssIdle]
