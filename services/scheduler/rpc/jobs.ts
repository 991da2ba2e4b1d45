import type { JobId } from '#libs/domain'
import { Durability, type SchedulerServiceImplementation } from '#libs/proto'
import { rpcError } from '#libs/rpc'

import type { Job, State } from '../core/state.js'
import type { JobWaiters } from '../effects/job-waiters.js'
import type { Loop } from '../loop.js'
import { pageOf } from './page.js'
import { accept } from './refusal.js'
import { durationMs, jobToDomain, requestIdToDomain } from './to-domain.js'
import { jobToWire } from './to-wire.js'

type JobMethods = Pick<
  SchedulerServiceImplementation,
  'submitJob' | 'getJob' | 'listJobs' | 'cancelJob' | 'waitJob' | 'persistJob'
>

const defaultWaitMs = 20_000
const maxWaitMs = 300_000

/** The unary calls about jobs. */
export function createJobMethods(loop: Loop, waiters: JobWaiters, durability: Durability): JobMethods {
  const { state } = loop
  return {
    submitJob: async ({ requestId, job: wire, validateOnly }) => {
      if (wire === undefined) throw rpcError('INVALID_ARGUMENT', 'NO_JOB', 'the request holds no job')
      const job = jobToDomain(state, wire)
      if (validateOnly) return { receipt: { jobId: job.jobId, durability: Durability.UNSPECIFIED } }
      const { jobId } = accept(await loop.ask({ kind: 'jobSubmitted', requestId: requestIdToDomain(requestId), job }))
      return { receipt: { jobId: jobId ?? job.jobId, durability } }
    },
    getJob: async ({ jobId }) => ({ job: jobToWire(findJob(state, jobId)) }),
    listJobs: async (request) => {
      const newestFirst = [...state.jobs.values()].reverse()
      const { page, nextPageToken } = pageOf(newestFirst, ({ spec }) => spec.jobId, request)
      return { jobs: page.map(jobToWire), nextPageToken }
    },
    cancelJob: async ({ jobId, reason }) => {
      const id = jobId as JobId
      accept(await loop.ask({ kind: 'cancelRequested', jobId: id, reason: reason || 'a client asked for it' }))
      return { job: jobToWire(findJob(state, jobId)) }
    },
    waitJob: async ({ jobId, timeout }, { signal }) => {
      const waitMs = Math.min(timeout ? durationMs(timeout) : defaultWaitMs, maxWaitMs)
      const over = AbortSignal.any([signal, AbortSignal.timeout(waitMs)])
      while (findJob(state, jobId).settledAtMs === undefined && !over.aborted) {
        await waiters.wait(jobId as JobId, over)
      }
      return { job: jobToWire(findJob(state, jobId)) }
    },
    persistJob: async ({ jobId, name }) => {
      if (name === '') throw rpcError('INVALID_ARGUMENT', 'NO_NAME', 'name must not be empty')
      accept(await loop.ask({ kind: 'persistRequested', jobId: jobId as JobId, name }))
      return { job: jobToWire(findJob(state, jobId)) }
    },
  }
}

/** The job with this id, or the one pinned under this name. */
export function findJob(state: State, id: string): Job {
  const job = state.jobs.get(id as JobId) ?? state.jobs.get(state.persisted.get(id) ?? ('' as JobId))
  if (job) return job
  const message = `job ${id.slice(0, 128)} is unknown or forgotten`
  throw rpcError('NOT_FOUND', 'JOB_NOT_FOUND', message, { metadata: { jobId: id.slice(0, 128) } })
}
