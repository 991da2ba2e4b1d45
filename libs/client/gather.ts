import { SpanKind } from '@opentelemetry/api'

import { MeshJob } from '#libs/submission'
import { type GatherOptions, resultsOf, type TaskFuture } from '#libs/task'
import { timeSpan } from '#libs/telemetry'

/**
 * Results in order, all fetched at the same time; the first failure ends the wait at once, unless failed ones are skipped. A
 * span in the trace of the first future's job says how long it took.
 */
export async function gatherAll<R>(futures: readonly TaskFuture<R>[], options: GatherOptions): Promise<R[]> {
  const [first] = futures
  if (first === undefined) return []
  const about = { 'costate.job.id': first.job.id }
  const beganAtMs = performance.now()
  const results = await timeSpan(
    'gather',
    { kind: SpanKind.CLIENT, parent: first.job.carrier, attributes: about },
    () => resultsOf(futures, options),
  )
  if (first.job instanceof MeshJob) first.job.noteGather(beganAtMs)
  return results
}
