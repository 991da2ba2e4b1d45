import assert from 'node:assert/strict'

import { type Cluster, createLocalCluster } from 'costate'

import { compare } from '../contest.js'
import { startDaskPeer } from '../dask-peer.js'
import { daskSide, newDaskSide } from '../contestants.js'
import type { Row, RowContext } from '../row.js'
import { atLeastTimes } from '../target.js'
import { lastOf } from '../tasks.mjs'

const workers = 16
/** 32 MB of float64. */
const length = 4_000_000
const megabytes = (workers * length * Float64Array.BYTES_PER_ELEMENT) / 1e6
const repeatsOfNewClusters = 3

async function startCluster({ runDir }: RowContext): Promise<Cluster> {
  return await createLocalCluster({ workers, threadsPerWorker: 1, runDir })
}

/** The array is in the memory of all workers, and known to the scheduler, when the clock stops. */
async function broadcast(cluster: Cluster, array: Float64Array, { nowMs }: RowContext): Promise<number> {
  const startMs = nowMs()
  const object = await cluster.scatter(array, { broadcast: true })
  const seconds = (nowMs() - startMs) / 1000
  assert.equal(object.workerIds.length, workers)
  const last = object.workerIds.at(-1) ?? ''
  assert.equal(
    await cluster
      .with({ workers: [last] })
      .submit(lastOf, object)
      .result(),
    length - 1,
  )
  object.release()
  return megabytes / seconds
}

const array = (): Float64Array => Float64Array.from({ length }, (_, k) => k)

/** The first one that a cluster sees. */
const cold: Row = {
  name: 'broadcast-16',
  unit: 'MB/s',
  target: atLeastTimes(1.5, 'Dask'),
  measure: async (context) => {
    const ours = async (): Promise<number> => {
      await using cluster = await startCluster(context)
      return await broadcast(cluster, array(), context)
    }
    const theirs = newDaskSide(context, async (peer) => {
      await peer.ask('start', { workers })
      const [seconds = NaN] = await peer.ask('broadcast', { length })
      return megabytes / seconds
    })
    return { cases: [await compare({ warmUps: 0, ours, theirs, repeats: repeatsOfNewClusters }, context)] }
  },
}

/** Those that follow, of an array that was released before. */
const warm: Row = {
  name: 'broadcast-16-warm',
  unit: 'MB/s',
  target: atLeastTimes(3, 'Dask'),
  measure: async (context) => {
    const dask = context.dask && startDaskPeer(context.dask)
    try {
      await dask?.ask('start', { workers })
      await using cluster = await startCluster(context)
      const numbers = array()
      const ours = (): Promise<number> => broadcast(cluster, numbers, context)
      const theirs = daskSide(dask, 'broadcast', { length }, ([seconds = NaN]) => megabytes / seconds)
      return { cases: [await compare({ warmUps: 2, ours, theirs }, context)] }
    } finally {
      await dask?.close()
    }
  },
}

export const broadcastRows: readonly Row[] = [cold, warm]
