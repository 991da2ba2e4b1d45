import assert from 'node:assert/strict'

import type { Cluster, GraphBuilder, TaskFuture } from 'costate'

import { compare } from '../contest.js'
import { daskSide, withBoth } from '../contestants.js'
import type { Row } from '../row.js'
import { atLeastTimes } from '../target.js'
import { next, noop, sum } from '../tasks.mjs'

const tasks = 10_000

/** A graph of 10,000 tasks, submitted as one job, until its last result is here. */
function graphRow(
  name: string,
  operation: 'chain' | 'fan_in',
  { build, result }: { readonly build: (graph: GraphBuilder) => TaskFuture<number>; readonly result: number },
): Row {
  const run = async (cluster: Cluster, nowMs: () => number): Promise<number> => {
    const startMs = nowMs()
    const last = cluster.graph(build)
    const value = await last.result()
    const seconds = (nowMs() - startMs) / 1000
    assert.equal(value, result)
    last.job.release()
    return tasks / seconds
  }
  return {
    name,
    unit: 'tasks/s',
    target: atLeastTimes(10, 'Dask'),
    measure: (context) =>
      withBoth(context, async ({ cluster, dask }) => {
        const ours = (): Promise<number> => run(cluster, context.nowMs)
        const theirs = daskSide(dask, operation, { tasks }, ([seconds = NaN]) => tasks / seconds)
        return { cases: [await compare({ warmUps: 2, ours, theirs }, context)] }
      }),
  }
}

export const graphRows: readonly Row[] = [
  graphRow('chain-10k', 'chain', {
    result: tasks,
    build: (graph) => {
      let last = graph.task(next, 0)
      for (let k = 1; k < tasks; k++) last = graph.task(next, last)
      return last
    },
  }),
  graphRow('fanin-10k', 'fan_in', {
    result: (tasks * (tasks - 1)) / 2,
    build: (graph) =>
      graph.task(
        sum,
        Array.from({ length: tasks }, (_, k) => graph.task(noop, k)),
      ),
  }),
]
