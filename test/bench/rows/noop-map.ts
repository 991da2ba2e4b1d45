import assert from 'node:assert/strict'

import { compare } from '../contest.js'
import { daskSide, withBoth } from '../contestants.js'
import type { Row } from '../row.js'
import { atLeastTimes } from '../target.js'
import { noop } from '../tasks.mjs'

/** `map` and `gather` of a task that does nothing, from the third call on in a running cluster. */
function noopMap(name: string, tasks: number, timesDask: number): Row {
  return {
    name,
    unit: 'tasks/s',
    target: atLeastTimes(timesDask, 'Dask'),
    measure: (context) =>
      withBoth(context, async ({ cluster, dask }) => {
        const inputs = Array.from({ length: tasks }, (_, k) => k)
        const ours = async (): Promise<number> => {
          const startMs = context.nowMs()
          const futures = cluster.map(noop, inputs)
          const results = await cluster.gather(futures)
          const seconds = (context.nowMs() - startMs) / 1000
          assert.deepEqual(results, inputs)
          futures[0]?.job.release()
          return tasks / seconds
        }
        const theirs = daskSide(dask, 'noop_map', { tasks }, ([seconds = NaN]) => tasks / seconds)
        return { cases: [await compare({ warmUps: 2, ours, theirs }, context)] }
      }),
  }
}

export const noopMapRows: readonly Row[] = [noopMap('noop-map-10k', 10_000, 30)]
