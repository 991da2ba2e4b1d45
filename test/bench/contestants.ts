import { type Cluster, createLocalCluster } from 'costate'

import type { Contest } from './contest.js'
import { type DaskPeer, startDaskPeer } from './dask-peer.js'
import type { RowContext } from './row.js'
import { median } from './statistics.js'

/** The two meshes of a row, each of 2 workers with 1 thread. */
export interface Contestants {
  readonly cluster: Cluster
  readonly dask: DaskPeer | undefined
}

export const workers = 2

/** Our mesh as the rows measure it. */
export async function startCluster({ runDir }: Pick<RowContext, 'runDir'>): Promise<Cluster> {
  return await createLocalCluster({ workers, threadsPerWorker: 1, runDir })
}

/** Starts our mesh and Dask's, lets `use` measure, and ends both. */
export async function withBoth<T>(context: RowContext, use: (contestants: Contestants) => Promise<T>): Promise<T> {
  context.say('clusters start')
  const dask = context.dask && startDaskPeer(context.dask)
  try {
    await dask?.ask('start', { workers })
    await using cluster = await startCluster(context)
    return await use({ cluster, dask })
  } finally {
    await dask?.close()
  }
}

/** Dask as the other side of a contest: a run is one operation of the peer, its answer turned into the row's unit. */
export function daskSide(
  dask: DaskPeer | undefined,
  operation: string,
  parameters: Readonly<Record<string, number>>,
  toUnit: (numbers: readonly number[]) => number,
): Contest['theirs'] {
  return dask && { name: 'Dask', run: async () => toUnit(await dask.ask(operation, parameters)) }
}

/** Dask as the other side of a contest whose every run takes a new process. */
export function newDaskSide({ dask }: RowContext, run: (peer: DaskPeer) => Promise<number>): Contest['theirs'] {
  if (dask === undefined) return undefined
  const runOnce = async (): Promise<number> => {
    const peer = startDaskPeer(dask)
    try {
      return await run(peer)
    } finally {
      await peer.close()
    }
  }
  return { name: 'Dask', run: runOnce }
}

/** The same study in Dask, where it is installed: the median of three runs after the first, in seconds. */
export async function askDask(
  { dask: installation, say }: RowContext,
  operation: string,
  parameters: Readonly<Record<string, number>>,
): Promise<number | undefined> {
  if (installation === undefined) return undefined
  say('Dask starts')
  const dask = startDaskPeer(installation)
  try {
    await dask.ask('start', { workers })
    const runs: number[] = []
    for (let k = 0; k < 4; k++) runs.push(...(await dask.ask(operation, parameters)))
    return median(runs.slice(1))
  } finally {
    await dask.close()
  }
}
