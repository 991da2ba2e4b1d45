import assert from 'node:assert/strict'

import type { Cluster } from 'costate'

import { compare } from '../contest.js'
import { daskSide, startCluster, withBoth } from '../contestants.js'
import { type PassthroughProcesses, startPassthrough } from '../passthrough/processes.js'
import { type RingProcesses, startRing } from '../ring/processes.js'
import type { Row, RowContext } from '../row.js'
import { atLeastTimes } from '../target.js'
import { lastOf, ramp, total } from '../tasks.mjs'

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

/** Worker to worker: a task takes an array that another worker holds. */
const move: Side = (cluster, { nowMs }) => {
  return async () => {
    const [from, to] = await cluster.workers()
    assert(from && to)
    const held = cluster.with({ workers: [from.id] }).submit(ramp, length)
    await held.settled()
    const startMs = nowMs()
    const moved = cluster.with({ workers: [to.id] }).submit(lastOf, held)
    assert.equal(await moved.result(), length - 1)
    const seconds = (nowMs() - startMs) / 1000
    moved.release()
    held.release()
    return megabytes / seconds
  }
}

const bytes = length * Float64Array.BYTES_PER_ELEMENT

/** The same over gRPC alone, against a stream of grpc-js that nobody looks at. */
function ceilingRow(
  name: string,
  peer: string,
  side: Side,
  run: (passthrough: PassthroughProcesses) => Promise<number>,
): Row {
  return {
    name,
    unit: 'MB/s',
    target: atLeastTimes(0.75, peer),
    measure: async (context) => {
      await using passthrough = await startPassthrough(context.nowMs)
      // For this process and the services that it starts.
      process.env['COSTATE_SHARED_MEMORY'] = 'off'
      using _ = {
        [Symbol.dispose]: () => {
          delete process.env['COSTATE_SHARED_MEMORY']
        },
      }
      await using cluster = await startCluster(context)
      const theirs = { name: peer, run: async () => megabytes / (await run(passthrough)) }
      return { cases: [await compare({ warmUps: 1, ours: side(cluster, context), theirs }, context)] }
    },
  }
}

/** Until what both sides move lies in memory that was used before: the first bodies take fresh pages, half a second for each. */
const warmUpsOfMemory = 3

/** With default options, against a bare ring in shared memory that nobody digests, over memory that was used before. */
function ringRow(name: string, side: Side, run: (ring: RingProcesses) => Promise<number>): Row {
  const peer = 'bare ring'
  return {
    name,
    unit: 'MB/s',
    target: atLeastTimes(0.7, peer),
    measure: async (context) => {
      await using ring = await startRing(bytes, context.nowMs)
      await using cluster = await startCluster(context)
      const theirs = { name: peer, run: async () => megabytes / (await run(ring)) }
      return { cases: [await compare({ warmUps: warmUpsOfMemory, ours: side(cluster, context), theirs }, context)] }
    },
  }
}

const objects = 10_000
const smallLength = 128
/** Until V8 has compiled what each object passes, in four processes. */
const smallWarmUps = 8
/** Until the other side has done what its run left behind: it gives up 10,000 objects. */
const restMs = 1_000

/** Many arrays of 1 KB: each scattered by itself, all brought back. */
const smallObjects: Row = {
  name: 'small-objects-10k',
  unit: 'objects/s',
  target: atLeastTimes(10, 'Dask'),
  measure: (context) =>
    withBoth(context, async ({ cluster, dask }) => {
      const arrays = Array.from({ length: objects }, (_, k) => new Float64Array(smallLength).fill(k))
      const ours = async (): Promise<number> => {
        const startMs = context.nowMs()
        const scattered = await Promise.all(arrays.map((array) => cluster.scatter(array)))
        const back = await Promise.all(scattered.map((object) => object.result()))
        const seconds = (context.nowMs() - startMs) / 1000
        assert(back.every((array, k) => array.length === smallLength && array[smallLength - 1] === k))
        for (const object of scattered) object.release()
        return objects / seconds
      }
      const parameters = { objects, length: smallLength }
      const theirs = daskSide(dask, 'small_objects', parameters, ([seconds = NaN]) => objects / seconds)
      return { cases: [await compare({ warmUps: smallWarmUps, restMs, ours, theirs }, context)] }
    }),
}

export const bulkRows: readonly Row[] = [
  bulkRow('scatter-256mb', 'scatter', scatter),
  bulkRow('gather-256mb', 'gather', gather),
  ringRow('scatter-256mb-ring', scatter, (ring) => ring.push()),
  ringRow('gather-256mb-ring', gather, (ring) => ring.pull()),
  ceilingRow('scatter-256mb-grpc', 'passthrough push', scatter, (passthrough) => passthrough.push(bytes)),
  ceilingRow('gather-256mb-grpc', 'passthrough pull', gather, (passthrough) => passthrough.pull(bytes)),
  ceilingRow('worker-to-worker-256mb-grpc', 'passthrough pull', move, (passthrough) => passthrough.pullBetween(bytes)),
  smallObjects,
]
