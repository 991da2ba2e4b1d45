import assert from 'node:assert/strict'

import type { Cluster } from 'costate'

import { compare } from '../contest.js'
import { daskSide, withBoth } from '../contestants.js'
import type { Row, RowContext } from '../row.js'
import { atLeastTimes } from '../target.js'
import { ramp, total } from '../tasks.mjs'

/** 256 MB of float64, a megabyte being 10⁶ bytes. */
const length = 32_000_000
const megabytes = (length * Float64Array.BYTES_PER_ELEMENT) / 1e6
const sumOfRamp = (length * (length - 1)) / 2

type Side = (cluster: Cluster, context: RowContext) => () => Promise<number>

/** Client to worker: the array is in the worker's memory and known to the scheduler when the clock stops. */
const scatter: Side = (cluster, { nowMs }) => {
  const array = Float64Array.from({ length }, (_, k) => k)
  return async () => {
    const worker = (await cluster.workers())[0]
    assert(worker)
    const startMs = nowMs()
    const object = await cluster.scatter(array, { workers: [worker.id] })
    const seconds = (nowMs() - startMs) / 1000
    assert.equal(await cluster.submit(total, object).result(), sumOfRamp)
    object.release()
    return megabytes / seconds
  }
}

/** Worker to client: the result of a task that has ended. */
const gather: Side = (cluster, { nowMs }) => {
  return async () => {
    const future = cluster.submit(ramp, length)
    await future.settled()
    const startMs = nowMs()
    const [array] = await cluster.gather([future])
    const seconds = (nowMs() - startMs) / 1000
    assert(array instanceof Float64Array && array.length === length && array[length - 1] === length - 1)
    future.release()
    return megabytes / seconds
  }
}

function bulkRow(name: string, operation: 'scatter' | 'gather', side: Side): Row {
  return {
    name,
    unit: 'MB/s',
    target: atLeastTimes(1, 'Dask'),
    measure: (context) =>
      withBoth(context, async ({ cluster, dask }) => {
        const theirs = daskSide(dask, operation, { length }, ([seconds = NaN]) => megabytes / seconds)
        return { cases: [await compare({ warmUps: 1, ours: side(cluster, context), theirs }, context)] }
      }),
  }
}

export const bulkRows: readonly Row[] = [
  bulkRow('scatter-256mb', 'scatter', scatter),
  bulkRow('gather-256mb', 'gather', gather),
]
