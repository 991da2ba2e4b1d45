import { SpanKind } from '@opentelemetry/api'

import { withSpan } from '#libs/telemetry'

import type { GatherOptions } from './cluster.js'
import type { TaskFuture } from './future.js'

/** Results in order, all fetched at the same time. A span in the trace of the first future's job says how long it took. */
export async function gatherAll<R>(
  futures: readonly TaskFuture<R>[],
  { errors = 'raise' }: GatherOptions,
): Promise<R[]> {
  const [first] = futures
  if (first === undefined) return []
  const settled = await withSpan(
    'gather',
    { kind: SpanKind.CLIENT, parent: first.job.carrier, attributes: { 'costate.job.id': first.job.id } },
    () => Promise.allSettled(futures.map((future) => future.result())),
  )
  const values: R[] = []
  for (const outcome of settled) {
    if (outcome.status === 'fulfilled') values.push(outcome.value)
    else if (errors === 'raise') throw outcome.reason as Error
  }
  return values
}
