import type { TaskFuture } from './future.js'
import type { GatherOptions } from './submit-options.js'

/** @internal Results in order, all fetched at the same time; the first failure ends the wait at once, unless failed ones are skipped. */
export function resultsOf<R>(
  futures: readonly TaskFuture<R>[],
  { errors = 'raise' }: GatherOptions = {},
): Promise<R[]> {
  return errors === 'raise' ? allOf(futures) : finishedOf(futures.map((future) => future.bring()))
}

function allOf<R>(futures: readonly TaskFuture<R>[]): Promise<R[]> {
  return new Promise((resolve, reject) => {
    const results = Array.from<R>({ length: futures.length })
    let missing = futures.length
    if (missing === 0) resolve(results)
    for (const [index, future] of futures.entries()) {
      future.onResult((result) => {
        results[index] = result
        if (--missing === 0) resolve(results)
      }, reject)
    }
  })
}

async function finishedOf<R>(results: readonly Promise<R>[]): Promise<R[]> {
  const settled = await Promise.allSettled(results)
  return settled.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
}
