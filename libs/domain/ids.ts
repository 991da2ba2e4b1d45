declare const brand: unique symbol
type Branded<Name extends string> = string & { readonly [brand]: Name }

/** A job's id: [a-z0-9-], at most 64 characters. */
export type JobId = Branded<'JobId'>
/** A task's id: job id, slash, index in the job. The result of a task is the object with the same id. */
export type TaskId = Branded<'TaskId'>
/** An object's id: a task's id, or `o-…` for a scattered buffer. */
export type ObjectId = Branded<'ObjectId'>
/** A worker's id, made when its process starts. */
export type WorkerId = Branded<'WorkerId'>
/** A client session's id. */
export type SessionId = Branded<'SessionId'>

const jobIdPattern = /^[a-z0-9][a-z0-9-]{0,63}$/

/** Whether the text can be a job id. */
export function isJobId(text: string): text is JobId {
  return jobIdPattern.test(text)
}

/** The id of the task with this index in the job. */
export function taskIdOf(jobId: JobId, index: number): TaskId {
  return `${jobId}/${index}` as TaskId
}

/** The job and index that a task's id names, or nothing when the text is no task id. */
export function parseTaskId(text: string): { jobId: JobId; index: number } | undefined {
  const slash = text.lastIndexOf('/')
  if (slash < 0) return undefined
  const jobId = text.slice(0, slash)
  const digits = text.slice(slash + 1)
  if (!isJobId(jobId) || !/^(0|[1-9][0-9]{0,9})$/.test(digits)) return undefined
  return { jobId, index: Number(digits) }
}
