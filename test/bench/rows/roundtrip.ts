import assert from 'node:assert/strict'

import { compare } from '../contest.js'
import { daskSide, withBoth } from '../contestants.js'
import type { Row } from '../row.js'
import { percentile } from '../statistics.js'
import { atMostPart } from '../target.js'
import { noop } from '../tasks.mjs'

const calls = 200

/** Submit to result, one task at a time: the median of 200 calls. */
const roundtripP50: Row = {
  name: 'roundtrip-p50',
  unit: 'ms',
  target: atMostPart(8, 'Dask'),
  measure: (context) =>
    withBoth(context, async ({ cluster, dask }) => {
      const ours = async (): Promise<number> => {
        const callsMs: number[] = []
        for (let value = 0; value < calls; value++) {
          const startMs = context.nowMs()
          const future = cluster.submit(noop, value)
          const result = await future.result()
          callsMs.push(context.nowMs() - startMs)
          assert.equal(result, value)
          future.release()
        }
        return percentile(callsMs, 0.5)
      }
      const theirs = daskSide(dask, 'roundtrips', { calls }, (seconds) => percentile(seconds, 0.5) * 1000)
      return { cases: [await compare({ warmUps: 1, ours, theirs }, context)] }
    }),
}

export const roundtripRows: readonly Row[] = [roundtripP50]
