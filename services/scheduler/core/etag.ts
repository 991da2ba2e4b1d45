import type { Refusal } from './effect.js'
import type { Job, JobRecord } from './state.js'

/** Changes when the job's state does or it is pinned. */
export function etagOf(job: Job | JobRecord): string {
  const { number, settledAtMs, cancelled, counts } = job
  const persistedAs = 'persistedAs' in job ? job.persistedAs : undefined
  const isBad = counts.failed + counts.cancelled > 0
  const state = settledAtMs === undefined ? 'running' : cancelled ? 'cancelled' : isBad ? 'failed' : 'finished'
  return [number, state, ...(persistedAs === undefined ? [] : [persistedAs])].join('-')
}

/** Why a request that wants the job unchanged cannot be served, or nothing when it can. */
export function refuseChanged(job: Job, etag: string | undefined): Refusal | undefined {
  const now = etagOf(job)
  if (etag === undefined || etag === now) return undefined
  const { jobId } = job.spec
  const message = `job ${jobId} has changed: its etag is ${now}, not ${etag}; read the job and decide again`
  const resource = { type: 'costate.job', name: jobId }
  return { code: 'ABORTED', reason: 'ETAG_MISMATCH', message, metadata: { jobId, etag: now }, resource }
}
