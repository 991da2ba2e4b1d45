import type { JobId } from '#libs/domain'
import { Durability, type SchedulerServiceImplementation } from '#libs/proto'
import { rpcError } from '#libs/rpc'

import type { Job, State } from '../core/state.js'
import { refuseJob } from '../core/submit.js'
import type { JobWaiters } from '../effects/job-waiters.js'
import type { Loop } from '../loop.js'
import { numberIn, type PagedList, pageOf } from './page.js'
import { accept } from './refusal.js'
import { durationMs, jobToDomain, requestIdToDomain } from './to-domain.js'
import { jobToWire } from './to-wire.js'

type JobMethods = Pick<
  SchedulerServiceImplementation,
  'submitJob' | 'getJob' | 'listJobs' | 'cancelJob' | 'waitJob' | 'persistJob'
>

const defaultWaitMs = 20_000
const maxWaitMs = 300_000
const maxNameLength = 256

/** The unary calls about jobs. Wherever a job is named, its id and the name that it is pinned under both do. */
export function createJobMethods(loop: Loop, waiters: JobWaiters, durability: Durability): JobMethods {
  const { state } = loop
  return {
    submitJob: async ({ requestId, job: wire, validateOnly }) => {
      if (wire === undefined) throw rpcError('INVALID_ARGUMENT', 'NO_JOB', 'the request holds no job')
      const id = requestIdToDomain(requestId)
      const job = jobToDomain(state, wire)
      if (validateOnly) {
        const refusal = refuseJob(state, job)
        accept(refusal ? { refusal } : {})
        return { receipt: { jobId: job.jobId, durability: Durability.UNSPECIFIED } }
      }
      const { jobId } = accept(await loop.ask({ kind: 'jobSubmitted', requestId: id, job }))
      return { receipt: { jobId: jobId ?? job.jobId, durability } }
    },
    getJob: ({ jobId }) => loop.read((state) => ({ job: jobToWire(findJob(state, jobId)) })),
    listJobs: (request) =>
      loop.read((state) => {
        const { page, nextPageToken } = pageOf(jobsNewestFirst(state), request)
        return { jobs: page.map(jobToWire), nextPageToken }
      }),
    cancelJob: async ({ jobId, requestId, reason }) => {
      requestIdToDomain(requestId)
      const job = findJob(state, jobId)
      const why = reason || 'a client asked for it'
      accept(await loop.ask({ kind: 'cancelRequested', jobId: job.spec.jobId, reason: why }))
      return loop.read(() => ({ job: jobToWire(job) }))
    },
    waitJob: async ({ jobId, timeout }, { signal }) => {
      const job = findJob(state, jobId)
      const waitMs = Math.min(timeout ? Math.max(0, Math.ceil(durationMs(timeout))) : defaultWaitMs, maxWaitMs)
      const over = AbortSignal.any([signal, AbortSignal.timeout(waitMs)])
      const isSettled = (): Promise<boolean> => loop.read(() => job.settledAtMs !== undefined)
      while (!(await isSettled()) && !over.aborted) await waiters.wait(job.spec.jobId, over)
      return loop.read(() => ({ job: jobToWire(job) }))
    },
    persistJob: async ({ jobId, name, requestId }) => {
      requestIdToDomain(requestId)
      if (name === '' || name.length > maxNameLength) {
        const message = `name must have 1 to ${maxNameLength} characters, not ${name.length}`
        throw rpcError('INVALID_ARGUMENT', 'BAD_NAME', message)
      }
      const job = findJob(state, jobId)
      accept(await loop.ask({ kind: 'persistRequested', jobId: job.spec.jobId, name }))
      return loop.read(() => ({ job: jobToWire(job) }))
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

function jobsNewestFirst(state: State): PagedList<Job> {
  return {
    keyOf: ({ number }) => String(number),
    after: (key) => {
      const before = key === undefined ? Infinity : numberIn(key)
      // Maps keep the order of the submits.
      return [...state.jobs.values()].filter(({ number }) => number < before).reverse()
    },
  }
}
