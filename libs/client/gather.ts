import { SpanKind } from '@opentelemetry/api'

import { withSpan } from '#libs/telemetry'

import type { GatherOptions } from './cluster.js'
import type { TaskFuture } from './future.js'

/**
 * Results in order, all fetched at the same time; the first failure ends the wait at once, unless failed ones are skipped. A
 * span in the trace of the first future's job says how long it took.
 */
export async function gatherAll<R>(
  futures: readonly TaskFuture<R>[],
  { errors = 'raise' }: GatherOptions,
): Promise<R[]> {
  const [first] = futures
  if (first === undefined) return []
  return await withSpan(
    'gather',
    { kind: SpanKind.CLIENT, parent: first.job.carrier, attributes: { 'costate.job.id': first.job.id } },
    () => (errors === 'raise' ? allOf(futures) : finishedOf(futures.map((future) => future.result()))),
  )
}

function allOf<R>(futures: readonly TaskFuture<R>[]): Promise<R[]> {
  return new Promise((resolve, reject) => {
    const results = Array.from<R>({ length: futures.length })
    let missing = futures.length
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
