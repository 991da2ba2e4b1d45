import assert from 'node:assert/strict'

import type { Cluster } from 'costate'

import { compare } from '../contest.js'
import { daskSide, startCluster, withBoth } from '../contestants.js'
import type { Row } from '../row.js'
import { atLeastTimes } from '../target.js'
import { noop } from '../tasks.mjs'

/** map and gather of a task that gives back what it got; a run gives the tasks per second. */
export function createNoopMap(cluster: Cluster, tasks: number, nowMs: () => number): () => Promise<number> {
  const inputs = Array.from({ length: tasks }, (_, k) => k)
  return async () => {
    const startMs = nowMs()
    const futures = cluster.map(noop, inputs)
    const results = await cluster.gather(futures)
    const seconds = (nowMs() - startMs) / 1000
    assert.deepEqual(results, inputs)
    futures[0]?.job.release()
    return tasks / seconds
  }
}

/**
 * After its run Dask forgets 10,000 tasks for 0.57 s, with a processor to itself: that is neither its time nor ours. Each side rests
 * about twice as long before it runs.
 */
const restMsPerTask = 0.1

/** So many of them, from the third call on in a running cluster. */
function noopMap(name: string, tasks: number, timesDask: number): Row {
  return {
    name,
    unit: 'tasks/s',
    target: atLeastTimes(timesDask, 'Dask'),
    measure: (context) =>
      withBoth(context, async ({ cluster, dask }) => {
        const ours = createNoopMap(cluster, tasks, context.nowMs)
        const theirs = daskSide(dask, 'noop_map', { tasks }, ([seconds = NaN]) => tasks / seconds)
        return { cases: [await compare({ warmUps: 2, restMs: restMsPerTask * tasks, ours, theirs }, context)] }
      }),
  }
}

const hundredThousand = noopMap('noop-map-100k', 100_000, 60)

/** Ten times as many in one job. The peer is the row above, measured in turn on the same cluster. */
const million: Row = {
  name: 'noop-map-1m',
  unit: 'tasks/s',
  target: atLeastTimes(0.8, hundredThousand.name),
  measure: async (context) => {
    context.say('cluster starts')
    await using cluster = await startCluster(context)
    const ours = createNoopMap(cluster, 1_000_000, context.nowMs)
    const theirs = { name: hundredThousand.name, run: createNoopMap(cluster, 100_000, context.nowMs) }
    return { cases: [await compare({ warmUps: 2, ours, theirs }, context)] }
  },
}

export const noopMapRows: readonly Row[] = [noopMap('noop-map-10k', 10_000, 30), hundredThousand, million]
