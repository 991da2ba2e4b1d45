import type { TaskFuture } from '#libs/task'

/** Futures in the order in which they settle. More may be added while iterating. */
export interface Completion<R> extends AsyncIterable<TaskFuture<R>> {
  add(...futures: readonly TaskFuture<R>[]): void
  /** How many have not been given out. */
  readonly remaining: number
}

/**
 * Iterates over futures as they settle, failed ones included:
 *
 *     const completion = asCompleted(futures)
 *     for await (const future of completion) if (isPromising(await future.result())) completion.add(cluster.submit(…))
 */
export function asCompleted<R>(futures: Iterable<TaskFuture<R>>): Completion<R> {
  const settled: TaskFuture<R>[] = []
  let remaining = 0
  let wake: (() => void) | undefined

  const add = (...more: readonly TaskFuture<R>[]): void => {
    for (const future of more) {
      remaining++
      future.onSettled(() => {
        settled.push(future)
        wake?.()
      })
    }
  }
  add(...futures)
  return {
    add,
    get remaining() {
      return remaining
    },
    async *[Symbol.asyncIterator]() {
      while (remaining > 0) {
        const next = settled.shift()
        if (next) {
          remaining--
          yield next
        } else {
          await new Promise<void>((resolve) => (wake = resolve))
          wake = undefined
        }
      }
    },
  }
}

/** Which futures are settled and which are not. */
export interface WaitResult<R> {
  readonly done: TaskFuture<R>[]
  readonly pending: TaskFuture<R>[]
}

/** Waits until all futures are settled, or the first of them, or until the time is over. Failures do not throw. */
export async function wait<R>(
  futures: Iterable<TaskFuture<R>>,
  options: { readonly returnWhen?: 'all' | 'first'; readonly timeoutMs?: number } = {},
): Promise<WaitResult<R>> {
  const all = [...futures]
  const settles = all.map((future) => future.settled())
  const settled = options.returnWhen === 'first' && all.length > 0 ? Promise.race(settles) : Promise.all(settles)
  if (options.timeoutMs === undefined) await settled
  else {
    let timer: NodeJS.Timeout | undefined
    await Promise.race([settled, new Promise((resolve) => (timer = setTimeout(resolve, options.timeoutMs)))])
    clearTimeout(timer)
  }
  return { done: all.filter(({ done }) => done), pending: all.filter(({ done }) => !done) }
}
