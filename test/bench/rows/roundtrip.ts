import assert from 'node:assert/strict'

import type { Cluster } from 'costate'

import { compare } from '../contest.js'
import { daskSide, withBoth } from '../contestants.js'
import type { Row } from '../row.js'
import { percentile } from '../statistics.js'
import { atMostFigure, atMostPart } from '../target.js'
import { noop } from '../tasks.mjs'

/** Submit to result, one task at a time: how long each of the calls took. */
function createRoundtrips(cluster: Cluster, calls: number, nowMs: () => number): () => Promise<number[]> {
  return async () => {
    const callsMs: number[] = []
    for (let value = 0; value < calls; value++) {
      const startMs = nowMs()
      const future = cluster.submit(noop, value)
      const result = await future.result()
      callsMs.push(nowMs() - startMs)
      assert.equal(result, value)
      future.release()
    }
    return callsMs
  }
}

/** Runs of 200 calls until V8 has compiled what is called: the first take twice as long, and after 12 of them it still compiles. */
const warmUps = 24

/** The median of 200 calls. */
const roundtripP50: Row = {
  name: 'roundtrip-p50',
  unit: 'ms',
  target: atMostPart(8, 'Dask'),
  measure: (context) =>
    withBoth(context, async ({ cluster, dask }) => {
      const calls = 200
      const roundtrips = createRoundtrips(cluster, calls, context.nowMs)
      const ours = async (): Promise<number> => percentile(await roundtrips(), 0.5)
      const theirs = daskSide(dask, 'roundtrips', { calls }, (seconds) => percentile(seconds, 0.5) * 1000)
      return { cases: [await compare({ warmUps, ours, theirs }, context)] }
    }),
}

/** The 99th percentile of 1,000 calls, against Dask's median. */
const roundtripP99: Row = {
  name: 'roundtrip-p99',
  unit: 'ms',
  target: atMostFigure('Dask', 'p50'),
  measure: (context) =>
    withBoth(context, async ({ cluster, dask }) => {
      const calls = 1_000
      const roundtrips = createRoundtrips(cluster, calls, context.nowMs)
      const ours = async (): Promise<number> => percentile(await roundtrips(), 0.99)
      const theirs = daskSide(dask, 'roundtrips', { calls }, (seconds) => percentile(seconds, 0.5) * 1000)
      return { cases: [await compare({ warmUps: 1, ours, theirs }, context)], note: "theirs is Dask's p50" }
    }),
}

export const roundtripRows: readonly Row[] = [roundtripP50, roundtripP99]
