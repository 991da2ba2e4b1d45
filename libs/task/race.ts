import type { TaskFuture } from './future.js'

/**
 * The result of the task that finishes first. The others are cancelled: what runs is stopped, and its slot is free. A task
 * that fails loses; when all fail, so does the race.
 *
 * @throws AggregateError with what each of them failed with.
 */
export async function raceFutures<R>(futures: readonly TaskFuture<R>[]): Promise<R> {
  if (futures.length === 0) throw new RangeError('race: there is nothing to race: give at least one future')
  const winner = await firstFinished(futures)
  // Who cannot be reached cancels nothing more; the result is there all the same.
  for (const future of futures) if (future !== winner && !future.done) future.cancel().catch(() => undefined)
  if (winner) return await winner.result()
  const errors: unknown[] = []
  for (const future of futures) await future.result().catch((error: unknown) => errors.push(error))
  throw new AggregateError(errors, `race: none of the ${futures.length} tasks finished`, { cause: errors[0] })
}

function firstFinished<R>(futures: readonly TaskFuture<R>[]): Promise<TaskFuture<R> | undefined> {
  return new Promise((resolve) => {
    let open = futures.length
    for (const future of futures) {
      future.onSettled(() => {
        if (future.status === 'finished') resolve(future)
        else if (--open === 0) resolve(undefined)
      })
    }
  })
}
