import type { Result, SchedulerServiceDefinition, SessionResponse } from '#libs/proto'
import { readRpcFailure, type RpcClient } from '#libs/rpc'
import { type BlobUploader, ClientSession } from '#libs/session'
import { type DurabilityLevel, MeshError } from '#libs/task'

import type { AttemptKey, TaskOrder } from '../core/state.js'
import type { CallError, ChildCall, ChildNews } from '../exec/slot-messages.js'
import type { FetchedInput } from '../objects/fetched-input.js'
import { attemptToWire } from './to-wire.js'

type Message = NonNullable<SessionResponse['message']>
type Tell = (jobId: string, news: ChildNews) => void

/** What the jobs of tasks need of their worker. */
export interface TaskJobsPorts {
  readonly workerId: string
  readonly scheduler: RpcClient<typeof SchedulerServiceDefinition>
  readonly blobs: BlobUploader
  readonly fetch: (objectId: string, result: Result) => Promise<FetchedInput>
  /** The attempt, while it is here. */
  readonly orderOf: (key: AttemptKey) => TaskOrder | undefined
}

/** The jobs that tasks of this worker submit: one session for all of them, opened with the first. */
export interface TaskJobs {
  /** Does what a task asks; `tell` passes on what becomes of the jobs that it submits. */
  call(key: AttemptKey, call: ChildCall, tell: Tell): Promise<unknown>
  /** The attempt is over. */
  forget(key: AttemptKey): void
  close(): void
}

/** As long as a worker looks for its scheduler. */
const openWithinMs = 60_000

export function createTaskJobs(ports: TaskJobsPorts): TaskJobs {
  const { workerId, scheduler, blobs, fetch, orderOf } = ports
  const jobs = new Map<string, { readonly key: AttemptKey; readonly tell: Tell; isSubmitted: boolean }>()
  const jobsOf = new Map<AttemptKey, string[]>()
  let session: ClientSession | undefined

  const tell = (jobId: string, news: ChildNews): void => jobs.get(jobId)?.tell(jobId, news)

  function hear(message: Message): void {
    switch (message.$case) {
      case 'settled':
        return tell(message.value.jobId, { kind: 'settled', tasks: message.value.tasks })
      case 'lost':
        for (const id of message.value.objectIds) {
          const slash = id.lastIndexOf('/')
          tell(id.slice(0, slash), { kind: 'reopened', index: Number(id.slice(slash + 1)) })
        }
        return
      case 'refused': {
        // Only follows and cancels come here.
        const { requestId, reason, message: text } = message.value
        if (reason === 'JOB_NOT_FOUND') tell(requestId, { kind: 'lost', code: 'NOT_FOUND', reason, message: text })
        return
      }
      default:
      // Of no interest to a task.
    }
  }

  function lose({ code, reason, message }: MeshError): void {
    session = undefined
    for (const jobId of jobs.keys()) tell(jobId, { kind: 'lost', code, reason, message })
  }

  function follow(): void {
    for (const [jobId, { isSubmitted }] of jobs) {
      if (isSubmitted) session?.say({ $case: 'follow', value: { jobId } })
    }
  }

  const open = (): ClientSession =>
    (session ??= new ClientSession(
      scheduler,
      { said: hear, resumed: follow, lost: lose },
      { clientName: `costate worker ${workerId}`, openWithinMs },
    ))

  async function submit(
    key: AttemptKey,
    { requestId, job, durability, blobs: values }: Extract<ChildCall, { kind: 'submit' }>,
    told: Tell,
  ): Promise<DurabilityLevel> {
    const order = orderOf(key)
    if (order === undefined)
      throw new MeshError('ABORTED', 'ATTEMPT_OVER', `attempt ${key} is over: it submits nothing`)
    const entry = { key, tell: told, isSubmitted: false }
    jobs.set(job.jobId, entry)
    jobsOf.set(key, [...(jobsOf.get(key) ?? []), job.jobId])
    // What is not traced by itself is traced with its job.
    const trace = job.trace.size > 0 ? job.trace : new Map(Object.entries(order.jobTrace ?? {}))
    await blobs.upload(values, Object.fromEntries(trace))
    const whole = { ...job, trace, parent: attemptToWire(order) }
    const reached = await open().submit(whole, { durability, requestId })
    entry.isSubmitted = true
    return reached
  }

  async function bring({ objectId, result }: Extract<ChildCall, { kind: 'fetch' }>): Promise<FetchedInput> {
    try {
      return await fetch(objectId, result)
    } catch (error) {
      const message = `the value of ${objectId} could not be fetched: ${(error as Error).message}`
      throw new MeshError('UNAVAILABLE', 'RESULT_UNAVAILABLE', message, { cause: error })
    }
  }

  return {
    call: async (key, call, told) => {
      switch (call.kind) {
        case 'submit':
          return await submit(key, call, told)
        case 'fetch':
          return await bring(call)
        case 'cancel':
          return session?.tell({ $case: 'cancel', value: { jobId: call.jobId, indices: [...call.indices] } })
        case 'release':
          return session?.release(call.objectIds)
        default:
          return call satisfies never
      }
    },
    forget: (key) => {
      for (const jobId of jobsOf.get(key) ?? []) if (jobs.get(jobId)?.key === key) jobs.delete(jobId)
      jobsOf.delete(key)
    },
    close: () => session?.close(),
  }
}

/** An error as it goes to the slot that asked. */
export function callErrorOf(error: unknown): CallError {
  if (error instanceof MeshError) return { message: error.message, code: error.code, reason: error.reason }
  const { code, reason, message } = readRpcFailure(error)
  return code === 'UNKNOWN' ? { message } : { message, code, ...(reason === undefined ? {} : { reason }) }
}
