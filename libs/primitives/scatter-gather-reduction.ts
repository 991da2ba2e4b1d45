import type { GraphBuilder, ScatteredObject, Task, TaskFuture } from '#libs/client'

import { checkTasks } from './check-tasks.js'
import { type Chunk, combineChunk, foldChunk } from './map-chunk.js'
import { rootCauseOf } from './root-cause.js'
import { countSettles, type Run, runOn, type RunOptions } from './run.js'

/** A list of items, or an array of numbers. */
export type ReducibleData<T> =
  readonly T[] | (T extends number ? Float64Array | Float32Array | Int32Array | Uint8Array : never)

/** How to map and reduce. */
export interface ScatterGatherReductionOptions<T, M> extends RunOptions {
  readonly data: ReducibleData<T>
  /** Takes one item of the data. */
  readonly mapFn: Task<[T], M>
  /** Makes one of two neighbours: the left one comes first. */
  readonly reduceFn: Task<[M, M], M>
  /** Makes one of all that a chunk was mapped to, in its place on the worker; unless given, `reduceFn` from left to right. */
  readonly combineFn?: Task<[readonly M[]], M>
  /** Items in a chunk, which is one task. Unless given, a 256th of the data: it depends on nothing else. */
  readonly chunkSize?: number
}

const usualChunks = 256

/**
 * Map-reduce: scatters the data in chunks, maps and combines each of them on a worker, and reduces what comes out on the workers
 * as a tree; only the last result comes back.
 *
 * The order is declared: within a chunk from left to right, then chunk 0 with 1, 2 with 3, …, and again until one is left; one
 * without a partner goes up as it is. It depends on the length of the data and on `chunkSize` alone, so the result is the same to
 * the last bit for any number of workers, also when `reduceFn` is not associative (as sums of floating-point numbers are not).
 *
 *     await scatterGatherReduction({ cluster, data: readings, mapFn: histogram, reduceFn: addHistograms })
 *
 * @throws RangeError for no data or a bad `chunkSize`; TaskError when a function throws: its message names the item.
 */
export async function scatterGatherReduction<T, M>(options: ScatterGatherReductionOptions<T, M>): Promise<M> {
  const { data, mapFn, reduceFn, combineFn, chunkSize = Math.ceil(data.length / usualChunks) } = options
  checkTasks('scatterGatherReduction', { mapFn, reduceFn, ...(combineFn && { combineFn }) })
  if (data.length === 0) throw new RangeError('scatterGatherReduction: there is no data: give at least one item')
  if (!Number.isInteger(chunkSize) || chunkSize < 1) {
    throw new RangeError(`scatterGatherReduction: chunkSize is ${chunkSize}; give a whole number from 1`)
  }
  return await runOn('scatterGatherReduction', options, async (run) => {
    const chunks = await scatterChunks(run, data, chunkSize)
    try {
      const total = 2 * chunks.length - 1
      const root = run.with({ failFast: true }).graph((graph) => reduceTree(graph, chunks, options))
      run.keep(root.job.futures, countSettles(total, options.onProgress))
      return await root.result().catch((error: unknown) => {
        // What failed below it is what there is to say.
        throw rootCauseOf(error)
      })
    } finally {
      for (const chunk of chunks) chunk.release()
    }
  })
}

async function scatterChunks<T>(run: Run, data: ReducibleData<T>, size: number): Promise<ScatteredObject<Chunk<T>>[]> {
  const chunks = Array.from({ length: Math.ceil(data.length / size) }, (_, k): Chunk<T> => {
    const from = k * size
    return { from, items: data.slice(from, from + size) as ArrayLike<T> }
  })
  return await run.spread(chunks)
}

function reduceTree<T, M>(
  graph: GraphBuilder,
  chunks: readonly ScatteredObject<Chunk<T>>[],
  { mapFn, reduceFn, combineFn }: ScatterGatherReductionOptions<T, M>,
): TaskFuture<M> {
  const map = mapFn as unknown as Task<[unknown], unknown>
  const reduce = reduceFn as unknown as Task<[unknown, unknown], unknown>
  const combine = combineFn as unknown as Task<[readonly unknown[]], unknown> | undefined
  const leaf = (combine ? combineChunk({ map, combine }) : foldChunk({ map, reduce })) as Task<[Chunk<T>], M>
  let level = chunks.map((chunk) => graph.task(leaf, chunk as never))
  while (level.length > 1) {
    level = Array.from({ length: Math.ceil(level.length / 2) }, (_, k) => {
      const left = level[2 * k]!
      const right = level[2 * k + 1]
      return right ? graph.task(reduceFn, left, right) : left
    })
  }
  return level[0]!
}
