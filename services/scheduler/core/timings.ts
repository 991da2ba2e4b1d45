import type { WorkerId } from '#libs/domain'

import { findObject } from './lookup.js'
import type { Job, ResultLocation, State, Task } from './state.js'
import type { StoryRecord } from './story-ring.js'

/** When what happened to a task, as far as that is remembered; 0 where it is not. The worker's clock counts for start and end. */
export interface TaskTiming {
  readonly index: number
  /** The task; nothing when its job is forgotten. */
  readonly task: Task | undefined
  attempt: number
  workerId: WorkerId | undefined
  firstReadyAtMs: number
  readyAtMs: number
  sentAtMs: number
  startedAtMs: number
  endedAtMs: number
  settledAtMs: number
  fetchMs: number
  parkedMs: number
  /** Since when it waits for tasks that it submitted; 0 when it does not. */
  parkedAtMs: number
  readonly childJobIds: string[]
}

/** Takes the timings of tasks together from what is remembered of them: in the job, and in the story. */
export class TaskTimings {
  readonly #timings = new Map<number, TaskTiming>()

  /** Of the tasks whose indices are in the range; of a forgotten job only those are there that something is heard of. */
  constructor(
    readonly job: Job | undefined,
    readonly first: number,
    readonly end: number,
  ) {
    for (const task of job?.tasks.slice(first, end) ?? []) this.#timings.set(task.index, timingOf(task.index, task))
  }

  hear(index: number, record: StoryRecord): void {
    if (index < this.first || index >= this.end) return
    let timing = this.#timings.get(index)
    if (timing === undefined && this.job === undefined) this.#timings.set(index, (timing = timingOf(index, undefined)))
    if (timing) take(timing, record)
  }

  /** By index. */
  all(): TaskTiming[] {
    const timings = [...this.#timings.values()].sort((a, b) => a.index - b.index)
    for (const timing of timings) if (timing.task) takeSettle(timing, timing.task)
    return timings
  }
}

function timingOf(index: number, task: Task | undefined): TaskTiming {
  const { attempt = 0 } = task ?? {}
  const unknown = { firstReadyAtMs: 0, readyAtMs: 0, sentAtMs: 0, startedAtMs: 0, endedAtMs: 0, settledAtMs: 0 }
  const { children = [] } = task ?? {}
  const childJobIds = [...children].map(({ spec }) => spec.jobId as string)
  return { index, task, attempt, workerId: undefined, ...unknown, fetchMs: 0, parkedMs: 0, parkedAtMs: 0, childJobIds }
}

/** Records come in the order in which they were made: what is said last of the last attempt counts. */
function take(timing: TaskTiming, { happening, atMs, ms, attempt, workerId, detail }: StoryRecord): void {
  switch (happening) {
    case 'runTask':
      timing.attempt = attempt
      timing.workerId = workerId
      timing.sentAtMs = atMs
      timing.readyAtMs = atMs - ms
      timing.firstReadyAtMs ||= timing.readyAtMs
      timing.startedAtMs = timing.endedAtMs = timing.settledAtMs = timing.fetchMs = timing.parkedMs = 0
      return
    case 'tasksStarted':
      timing.startedAtMs = ms
      return
    case 'inputsFetched':
      timing.fetchMs = ms
      return
    case 'tasksWaited':
      timing.parkedAtMs = atMs
      return
    case 'resumeTask':
      if (timing.parkedAtMs > 0) timing.parkedMs += atMs - timing.parkedAtMs
      timing.parkedAtMs = 0
      return
    case 'taskSettled':
      timing.settledAtMs = atMs
      timing.attempt = attempt
      timing.workerId = workerId
      // Only a task that is forgotten with its job needs this: the others know when they ran.
      timing.endedAtMs = atMs
      timing.startedAtMs ||= atMs - ms
      return
    case 'childSubmitted':
      if (detail !== undefined && !timing.childJobIds.includes(detail)) timing.childJobIds.push(detail)
      return
    default:
    // Says nothing about times.
  }
}

/** What the task itself knows is exact, and outlives a restart. */
function takeSettle(timing: TaskTiming, { status, readyAtMs }: Task): void {
  if (status.kind === 'queued' && timing.sentAtMs === 0) {
    timing.readyAtMs = readyAtMs
    timing.firstReadyAtMs ||= readyAtMs
  }
  if (status.kind === 'running' || status.kind === 'awaiting') timing.startedAtMs = status.startedAtMs
  if (status.kind !== 'settled') return
  const { attempt, workerId, startedAtMs, endedAtMs } = status.record
  Object.assign(timing, { attempt, workerId, startedAtMs, endedAtMs })
}

/** Bytes of the large objects that the task's arguments refer to. */
export function inputBytesOf(state: State, { spec }: Task): number {
  let bytes = 0
  for (const objectId of spec.dependencies) {
    const entity = findObject(state, objectId)
    if (entity === undefined) continue
    if ('objectId' in entity) bytes += entity.byteLength
    else if (entity.status.kind === 'settled' && entity.status.outcome.kind === 'finished') {
      bytes += objectBytesOf(entity.status.outcome.result)
    }
  }
  return bytes
}

function objectBytesOf(result: ResultLocation): number {
  return result.kind === 'object' ? result.byteLength : 0
}

/** Bytes of the task's result. */
export function resultBytesOf({ status }: Task): number {
  if (status.kind !== 'settled' || status.outcome.kind === 'failed') return 0
  const { result } = status.outcome
  return result.kind === 'object' ? result.byteLength : result.payload.byteLength
}

/** The tasks of the same job whose results the task takes, by index. */
export function inputsWithin({ job, spec }: Task): number[] {
  const within = `${job.spec.jobId}/`
  return spec.dependencies.flatMap((objectId) =>
    objectId.startsWith(within) ? [Number(objectId.slice(within.length))] : [],
  )
}
