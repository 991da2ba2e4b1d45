import type { JobId } from '#libs/domain'
import { Durability, JobState, type ListJobsRequest, type SchedulerServiceImplementation } from '#libs/proto'
import { numberIn, type PagedList, pageOf, readRequestId, rpcError } from '#libs/rpc'

import type { Job, JobRecord, State } from '../core/state.js'
import { refuseJob } from '../core/submit.js'
import type { JobWaiters } from '../effects/job-waiters.js'
import type { Loop } from '../loop.js'
import { levelOf } from './level.js'
import { receiptOf } from './receipt.js'
import { accept } from './refusal.js'
import { durationMs, invalid } from './invalid.js'
import { etagToDomain, jobToDomain } from './to-domain.js'
import { jobStateOf, jobToWire } from './to-wire.js'

type JobMethods = Pick<
  SchedulerServiceImplementation,
  'submitJob' | 'getJob' | 'listJobs' | 'cancelJob' | 'waitJob' | 'watchJob' | 'persistJob'
>

const defaultWaitMs = 20_000
const maxWaitMs = 300_000
const maxNameLength = 256
const maxReasonBytes = 1_024

/** The unary calls about jobs. Wherever a job is named, its id and the name that it is pinned under both do. */
export function createJobMethods(loop: Loop, waiters: JobWaiters, durability: Durability): JobMethods {
  const { state } = loop
  return {
    submitJob: async ({ requestId, job: wire, validateOnly, durability: wanted }) => {
      if (wire === undefined) throw invalid('NO_JOB', 'the request holds no job', 'job')
      if (wire.parent) throw invalid('PARENT_NOT_ALLOWED', 'only a worker submits jobs of tasks', 'job.parent')
      const id = readRequestId(requestId)
      const job = jobToDomain(state, wire)
      if (validateOnly) {
        const refusal = refuseJob(state, job)
        accept(refusal ? { refusal } : {})
        return { receipt: receiptOf(state, job, job.jobId, Durability.UNSPECIFIED) }
      }
      const level = levelOf(wanted, durability)
      const { jobId } = accept(await loop.ask({ kind: 'jobSubmitted', requestId: id, job }, level))
      return { receipt: receiptOf(state, job, jobId ?? job.jobId, level.durability) }
    },
    getJob: ({ jobId }) =>
      loop.read((state) => ({ job: jobToWire(state, state.history.get(jobId as JobId) ?? findJob(state, jobId)) })),
    listJobs: (request) =>
      loop.read((state) => {
        const { page, nextPageToken } = pageOf(jobsNewestFirst(state, request), request)
        return { jobs: page.map((job) => jobToWire(state, job)), nextPageToken }
      }),
    cancelJob: async ({ jobId, requestId: given, reason, etag, indices }) => {
      const requestId = readRequestId(given)
      const reasonBytes = Buffer.byteLength(reason)
      if (reasonBytes > maxReasonBytes) {
        throw invalid('REASON_TOO_LONG', `reason has ${reasonBytes} bytes, at most ${maxReasonBytes}`, 'reason')
      }
      const job = findJob(state, jobId)
      const which = indices.length > 0 ? { indices } : {}
      const rest = { reason: reason || 'a client asked for it', ...which, ...etagToDomain(etag) }
      accept(await loop.ask({ kind: 'cancelRequested', requestId, jobId: job.spec.jobId, ...rest }))
      return loop.read(() => ({ job: jobToWire(state, job) }))
    },
    waitJob: async ({ jobId, timeout }, { signal }) => {
      const job = findJob(state, jobId)
      const waitMs = Math.min(timeout ? Math.max(0, Math.ceil(durationMs(timeout))) : defaultWaitMs, maxWaitMs)
      const over = AbortSignal.any([signal, AbortSignal.timeout(waitMs)])
      const isSettled = (): Promise<boolean> => loop.read(() => job.settledAtMs !== undefined)
      while (!(await isSettled()) && !over.aborted) await waiters.wait(job.spec.jobId, over)
      return loop.read(() => ({ job: jobToWire(state, job) }))
    },
    watchJob: async function* ({ jobId }, { signal }) {
      const job = findJob(state, jobId)
      const over = new AbortController()
      const stop = AbortSignal.any([signal, over.signal])
      try {
        for (let last = ''; !stop.aborted;) {
          const changed = waiters.wait(job.spec.jobId, stop)
          const now = await loop.read(() => jobToWire(state, job))
          const seen = JSON.stringify([now.etag, now.counts, now.volatileResults])
          if (seen !== last) yield { job: now }
          last = seen
          // Until its large results are safe, something still changes.
          if (now.settledAt && now.volatileResults === 0) return
          await changed
        }
      } finally {
        over.abort()
      }
    },
    persistJob: async ({ jobId, name, requestId: given, etag }) => {
      const requestId = readRequestId(given)
      if (name === '' || name.length > maxNameLength) {
        const message = `name must have 1 to ${maxNameLength} characters, not ${name.length}`
        throw invalid('BAD_NAME', message, 'name')
      }
      const job = findJob(state, jobId)
      const rest = { name, ...etagToDomain(etag) }
      accept(await loop.ask({ kind: 'persistRequested', requestId, jobId: job.spec.jobId, ...rest }))
      return loop.read(() => ({ job: jobToWire(state, job) }))
    },
  }
}

/** The job with this id, or the one pinned under this name. */
export function findJob(state: State, id: string): Job {
  const job = state.jobs.get(id as JobId) ?? state.jobs.get(state.persisted.get(id) ?? ('' as JobId))
  if (job) return job
  const named = id.slice(0, 128)
  const resource = { type: 'costate.job', name: named }
  const message = `job ${named} is unknown or forgotten`
  throw rpcError('NOT_FOUND', 'JOB_NOT_FOUND', message, { metadata: { jobId: named }, resource })
}

type ListedJob = Job | JobRecord

function jobsNewestFirst(state: State, filter: Pick<ListJobsRequest, 'state' | 'namePrefix'>): PagedList<ListedJob> {
  const isWanted = (job: ListedJob): boolean =>
    (filter.state === JobState.UNSPECIFIED || jobStateOf(job) === filter.state) &&
    job.spec.name.startsWith(filter.namePrefix)
  return {
    keyOf: ({ number }) => String(number),
    after: (key) => {
      const before = key === undefined ? Infinity : numberIn(key)
      const known = [...state.history.values(), ...state.jobs.values()]
      return known.filter((job) => job.number < before && isWanted(job)).sort((a, b) => b.number - a.number)
    },
  }
}
