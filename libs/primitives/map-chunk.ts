import { combinator, type Task, type TaskContext } from '#libs/task'

/** Items of the data, a list or a typed array, and where they begin in it. */
export interface Chunk<T> {
  readonly from: number
  readonly items: ArrayLike<T>
}

/** Maps the items of a chunk and folds what comes out from left to right, in one task. */
export const foldChunk = combinator(
  import.meta,
  'foldChunk',
  ({ map, reduce }: { map: Task<[unknown], unknown>; reduce: Task<[unknown, unknown], unknown> }) =>
    async (chunk: Chunk<unknown>, ctx: TaskContext): Promise<unknown> => {
      let folded: unknown
      for (let k = 0; k < chunk.items.length; k++) {
        const mapped = await mapItem(map, chunk, k, ctx)
        folded = k === 0 ? mapped : await reduce(folded, mapped, ctx)
      }
      return folded
    },
)

/** Maps the items of a chunk and combines all that comes out at once, in one task. */
export const combineChunk = combinator(
  import.meta,
  'combineChunk',
  ({ map, combine }: { map: Task<[unknown], unknown>; combine: Task<[readonly unknown[]], unknown> }) =>
    async (chunk: Chunk<unknown>, ctx: TaskContext): Promise<unknown> => {
      const mapped: unknown[] = []
      for (let k = 0; k < chunk.items.length; k++) mapped.push(await mapItem(map, chunk, k, ctx))
      return await combine(mapped, ctx)
    },
)

async function mapItem(
  map: Task<[unknown], unknown>,
  { from, items }: Chunk<unknown>,
  k: number,
  ctx: TaskContext,
): Promise<unknown> {
  ctx.signal.throwIfAborted()
  try {
    return await map(items[k], ctx)
  } catch (error) {
    const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    throw new Error(`item ${from + k} of the data: ${what}`, { cause: error })
  }
}
