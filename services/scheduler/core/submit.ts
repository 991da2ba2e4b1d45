import { emit } from './emit.js'
import { answer, type Out, type Refusal } from './effect.js'
import type { EventOf } from './event.js'
import { awaitInputs } from './inputs.js'
import { findObject } from './lookup.js'
import type { JobSpec, State } from './state.js'

/** Records a job, joins its tasks to what they depend on, and queues those that are ready. */
export function submitJob(state: State, event: EventOf<'jobSubmitted'>, out: Out): void {
  const known = state.jobsByRequest.get(event.requestId)
  if (known !== undefined) return answer(out, event, { jobId: known })
  const refusal = refuse(state, event.job)
  if (refusal) return answer(out, event, { refusal })
  const { job: spec, requestId, sessionId, atMs } = event
  emit(state, out, { kind: 'jobSubmitted', atMs, requestId, sessionId, job: spec })
  const job = state.jobs.get(spec.jobId)
  if (job === undefined) throw new Error(`job ${spec.jobId} was not added`)
  if (sessionId !== undefined) job.followers.add(sessionId)
  for (const task of job.tasks) awaitInputs(state, task, atMs, out)
  answer(out, event, { jobId: spec.jobId })
}

function refuse(state: State, { jobId, tasks, functions }: JobSpec): Refusal | undefined {
  if (state.jobs.has(jobId)) {
    const message = `a job with the id ${jobId} exists: leave job_id empty or choose another`
    return { code: 'ALREADY_EXISTS', reason: 'JOB_EXISTS', message, metadata: { jobId } }
  }
  const own = `${jobId}/`
  for (const [index, task] of tasks.entries()) {
    if (functions[task.functionIndex] === undefined) {
      const message = `task ${index} calls function ${task.functionIndex}, but the job has ${functions.length}`
      return { code: 'INVALID_ARGUMENT', reason: 'UNKNOWN_FUNCTION', message }
    }
    for (const objectId of task.dependencies) {
      if (objectId.startsWith(own) ? Number(objectId.slice(own.length)) < index : findObject(state, objectId)) continue
      // Only earlier tasks can be named, which also rules out cycles.
      const message =
        `task ${index} depends on ${objectId}, which ` +
        (objectId.startsWith(own) ? 'is not an earlier task of the job: order the tasks' : 'is unknown or forgotten')
      const code = objectId.startsWith(own) ? 'INVALID_ARGUMENT' : 'NOT_FOUND'
      return { code, reason: 'UNKNOWN_INPUT', message, metadata: { objectId } }
    }
  }
  return undefined
}
