import { parseTaskId, type JobId, type ObjectId } from '#libs/domain'

import { askAgain, parentOf, refuseChild } from './children.js'
import { expireJob } from './deadlines.js'
import { emit } from './emit.js'
import { answer, type Out, type Refusal } from './effect.js'
import type { EventOf } from './event.js'
import { awaitInputs } from './inputs.js'
import { findObject } from './lookup.js'
import { expectSession, tellSettles } from './sessions.js'
import { specBytes } from './spec-size.js'
import type { JobSpec, TaskSpec } from './job-spec.js'
import type { State } from './state.js'

/** A full queue has room again when tasks are settled, which nobody knows here. */
const fullRetryDelayMs = 5_000

/** Records a job, joins its tasks to what they depend on, and queues those that are ready. */
export function submitJob(state: State, event: EventOf<'jobSubmitted'>, out: Out): void {
  const { requestId, sessionId, parent, atMs } = event
  const orphaned = parent && refuseChild(state, event.job, parent)
  if (orphaned) return answer(out, event, { refusal: orphaned })
  const known = state.jobsByRequest.get(requestId)
  if (known !== undefined && goesOn(state, known, event, out)) return repeatAnswer(state, event, known, out)
  const refusal = refuseJob(state, event.job)
  if (refusal) return answer(out, event, { refusal })
  const spec = parent ? { ...event.job, parent: parentOf(state, parent) } : event.job
  // The name of a job that is history is free again.
  if (state.history.has(spec.jobId)) emit(state, out, { kind: 'jobForgotten', jobId: spec.jobId })
  const number = state.jobsSubmitted + 1
  // What a task submitted lives and ends with that task, not with the worker that it runs on.
  const owner = parent ? undefined : sessionId
  emit(state, out, { kind: 'jobSubmitted', atMs, requestId, sessionId: owner, number, job: spec })
  const job = state.jobs.get(spec.jobId)
  if (job === undefined) throw new Error(`job ${spec.jobId} was not added`)
  if (sessionId !== undefined) {
    expectSession(state, sessionId, atMs)
    job.followers.add(sessionId)
  }
  for (const task of job.tasks) awaitInputs(state, task, atMs, out)
  expireJob(state, job, atMs, out)
  answer(out, event, { jobId: spec.jobId })
}

/** Whether the job that was asked for before is the one that is meant. */
function goesOn(state: State, jobId: JobId, { parent, atMs }: EventOf<'jobSubmitted'>, out: Out): boolean {
  const job = state.jobs.get(jobId)
  return job === undefined || parent === undefined || askAgain(state, job, parent, atMs, out)
}

/** A duplicate comes from who lost the answer in a cut, and with it perhaps the settles that followed. */
function repeatAnswer(state: State, event: EventOf<'jobSubmitted'>, jobId: JobId, out: Out): void {
  const { sessionId, atMs } = event
  const job = state.jobs.get(jobId)
  if (job && sessionId !== undefined) tellSettles(state, job, sessionId, atMs, out)
  answer(out, event, { jobId })
}

/** Why a job cannot be taken, or nothing when it can. */
export function refuseJob(state: State, { jobId, tasks, functions }: JobSpec): Refusal | undefined {
  if (state.jobs.has(jobId)) {
    const message = `a job with the id ${jobId} exists: leave job_id empty or choose another`
    const resource = { type: 'costate.job', name: jobId }
    return { code: 'ALREADY_EXISTS', reason: 'JOB_EXISTS', message, metadata: { jobId }, resource }
  }
  const excess = refuseExcess(state, tasks)
  if (excess) return excess
  for (const [index, task] of tasks.entries()) {
    if (functions[task.functionIndex] === undefined) {
      const message = `task ${index} calls function ${task.functionIndex}, but the job has ${functions.length}`
      const fieldViolations = [{ field: `job.tasks[${index}].function`, description: message }]
      return { code: 'INVALID_ARGUMENT', reason: 'UNKNOWN_FUNCTION', message, fieldViolations }
    }
    for (const objectId of task.dependencies) {
      const refusal = refuseInput(state, jobId, index, objectId)
      if (refusal) return refusal
    }
  }
  return undefined
}

/** Of its own job a task can name only earlier tasks, which also rules out cycles. */
function refuseInput(state: State, jobId: JobId, index: number, objectId: ObjectId): Refusal | undefined {
  const metadata = { objectId }
  const id = parseTaskId(objectId)
  if (id?.jobId !== jobId) {
    if (findObject(state, objectId)) return undefined
    const message = `task ${index} depends on ${objectId}, which is unknown or forgotten`
    const resource = { type: 'costate.object', name: objectId }
    return {
      code: 'NOT_FOUND',
      reason: 'UNKNOWN_INPUT',
      message,
      metadata,
      resource,
      ...inputViolation(index, message),
    }
  }
  if (id.index < index) return undefined
  const message = `task ${index} depends on ${objectId}, which is not an earlier task of the job: order the tasks`
  return { code: 'INVALID_ARGUMENT', reason: 'UNKNOWN_INPUT', message, metadata, ...inputViolation(index, message) }
}

function inputViolation(index: number, description: string): Pick<Refusal, 'fieldViolations'> {
  return { fieldViolations: [{ field: `job.tasks[${index}].input`, description }] }
}

/** The scheduler keeps every unsettled task in its memory: there is an end to it. */
function refuseExcess({ counts, unsettledBytes, policy }: State, tasks: readonly TaskSpec[]): Refusal | undefined {
  const unsettled = counts.waiting + counts.queued + counts.running
  const bytes = tasks.reduce((sum, spec) => sum + specBytes(spec), unsettledBytes)
  const { maxUnsettledTasks, maxUnsettledBytes } = policy
  const quotas = [
    ...(unsettled + tasks.length > maxUnsettledTasks
      ? [{ subject: 'unsettled tasks', description: `${unsettled} of ${maxUnsettledTasks}, ${tasks.length} more` }]
      : []),
    ...(bytes > maxUnsettledBytes
      ? [
          {
            subject: 'bytes of unsettled tasks',
            description: `${unsettledBytes} of ${maxUnsettledBytes}, ${bytes - unsettledBytes} more`,
          },
        ]
      : []),
  ]
  const [reached] = quotas
  if (reached === undefined) return undefined
  const message = `the scheduler is full (${reached.subject}: ${reached.description}): submit again when tasks are settled`
  return { code: 'RESOURCE_EXHAUSTED', reason: 'QUEUE_FULL', message, quotas, retryDelayMs: fullRetryDelayMs }
}
