import type { JobId, TaskFailure, WorkerId } from '#libs/domain'

import type { Effect, Out } from './effect.js'
import type { AttemptRef, Event } from './event.js'
import type { Fact } from './fact.js'
import type { Job, State, Task } from './state.js'
import { codes, createStoryRing, type StoryRecord, type StoryRing, whole } from './story-ring.js'

/** A longer message is not kept alive for the story: the settle of the task has it. */
const maxDetailChars = 200

/** Takes down what happens, for people who ask what became of a task. It decides nothing, and no restart needs it. */
export interface StoryNotes {
  /** Takes note of an event that was just decided, and of what it added to `out` since the last call. */
  note(state: State, event: Event, out: Out): void
  /** Takes note of what was added to `out` since the last call. */
  noteRest(state: State, atMs: number, out: Out): void
  recordsOf(task: Task): StoryRecord[]
  readonly numberOf: StoryRing['numberOf']
  readonly visit: StoryRing['visit']
}

export function createStoryNotes(ring: StoryRing = createStoryRing()): StoryNotes {
  const { write } = ring
  let seen: Out | undefined
  let factsSeen = 0
  let effectsSeen = 0
  let lastJob: Job | undefined

  /** The job with this id. What happens at the same time is mostly about the same one. */
  const jobOf = (state: State, jobId: JobId): Job | undefined => {
    if (lastJob?.spec.jobId !== jobId) lastJob = state.jobs.get(jobId)
    return lastJob
  }

  const writeRef = (
    state: State,
    atMs: number,
    code: number,
    ref: { readonly jobId: JobId; readonly index: number },
    attempt: number,
    workerId: WorkerId | undefined,
    ms: number,
    detail: string | undefined,
  ): void => {
    const job = jobOf(state, ref.jobId)
    if (job) write(atMs, code, job.number, ref.index, attempt, workerId, ms, detail)
  }

  const writeJob = (state: State, atMs: number, code: number, jobId: JobId, detail: string | undefined): void => {
    writeRef(state, atMs, code, { jobId, index: whole }, 0, undefined, 0, detail)
  }

  const writeWorker = (atMs: number, code: number, workerId: WorkerId, detail: string | undefined): void => {
    write(atMs, code, whole, whole, 0, workerId, 0, detail)
  }

  function noteEvent(state: State, event: Event): void {
    const { atMs } = event
    switch (event.kind) {
      case 'tasksStarted':
        for (const ref of event.attempts) {
          writeRef(state, atMs, codes.tasksStarted, ref, ref.attempt, event.workerId, ref.startedAtMs, undefined)
        }
        return
      case 'tasksWaited':
        for (const ref of event.waits) {
          const code = ref.isOver ? codes.tasksWoken : codes.tasksWaited
          writeRef(state, atMs, code, ref, ref.attempt, event.workerId, 0, undefined)
        }
        return
      case 'tasksEnded':
        for (const end of event.ends) {
          const { fetchMs } = end
          if (fetchMs) writeRef(state, atMs, codes.inputsFetched, end, end.attempt, event.workerId, fetchMs, undefined)
          // What settled its task is told by that fact.
          if (hasSettled(jobOf(state, end.jobId)?.tasks[end.index], end, event.workerId)) continue
          const detail = end.outcome.kind === 'failed' ? shortened(end.outcome.failure) : undefined
          const ranMs = end.endedAtMs - end.startedAtMs
          writeRef(state, atMs, codes.tasksEnded, end, end.attempt, event.workerId, ranMs, detail)
        }
        return
      case 'tasksReturned':
        for (const ref of event.attempts) {
          writeRef(state, atMs, codes.tasksReturned, ref, ref.attempt, event.workerId, 0, undefined)
        }
        return
      case 'cancelRequested':
        for (const index of event.indices ?? [whole]) {
          writeRef(state, atMs, codes.cancelRequested, { jobId: event.jobId, index }, 0, undefined, 0, event.reason)
        }
        return
      case 'workerJoined': {
        const { workerId } = event.profile
        writeWorker(atMs, codes.workerJoined, workerId, undefined)
        for (const ref of event.attempts) {
          writeRef(state, atMs, codes.attemptClaimed, ref, ref.attempt, workerId, 0, undefined)
        }
        return
      }
      case 'workerUnlinked':
      case 'workerLeft':
        return writeWorker(atMs, codes[event.kind], event.workerId, undefined)
      default:
      // Told by facts and effects, or about no task.
    }
  }

  function noteFact(state: State, fact: Fact, atMs: number): void {
    switch (fact.kind) {
      case 'jobSubmitted': {
        const { jobId, parent } = fact.job
        if (parent) writeRef(state, atMs, codes.childSubmitted, parent, parent.attempt, undefined, 0, jobId)
        // By its id it is found when it is forgotten, as the jobs of tasks are with their end.
        return writeJob(state, atMs, codes.jobSubmitted, jobId, jobId)
      }
      case 'jobCancelled':
        return writeJob(state, atMs, codes.jobCancelled, fact.jobId, undefined)
      case 'jobPersisted':
        return writeJob(state, atMs, codes.jobPersisted, fact.jobId, fact.name)
      case 'taskSettled': {
        const { attempt, workerId, startedAtMs, endedAtMs } = fact.record
        const detail = fact.outcome.kind === 'failed' ? shortened(fact.outcome.failure) : undefined
        return writeRef(state, atMs, codes.taskSettled, fact, attempt, workerId, endedAtMs - startedAtMs, detail)
      }
      case 'attemptLost':
      case 'taskSuspected':
      case 'taskReopened': {
        const attempt = jobOf(state, fact.jobId)?.tasks[fact.index]?.attempt ?? 0
        return writeRef(state, atMs, codes[fact.kind], fact, attempt, undefined, 0, undefined)
      }
      default:
      // About no task.
    }
  }

  function noteEffect(state: State, effect: Effect, atMs: number): void {
    switch (effect.kind) {
      case 'runTask': {
        const { task, attempt, workerId } = effect
        const waitedMs = atMs - task.readyAtMs
        return write(atMs, codes.runTask, task.job.number, task.index, attempt, workerId, waitedMs, undefined)
      }
      case 'cancelAttempt': {
        const { attempt, workerId, reason } = effect
        return writeRef(state, atMs, codes.cancelAttempt, attempt, attempt.attempt, workerId, 0, reason)
      }
      case 'recallTask': {
        const { attempt, workerId } = effect
        return writeRef(state, atMs, codes.recallTask, attempt, attempt.attempt, workerId, 0, undefined)
      }
      case 'resumeTask': {
        const { attempt, workerId } = effect
        return writeRef(state, atMs, codes.resumeTask, attempt, attempt.attempt, workerId, 0, undefined)
      }
      case 'drainWorker':
      case 'dismissWorker':
        return writeWorker(atMs, codes[effect.kind], effect.workerId, effect.reason)
      default:
      // Follows from a fact that is noted, or is about no task.
    }
  }

  function begin(out: Out): void {
    if (seen === out) return
    seen = out
    factsSeen = 0
    effectsSeen = 0
    // It may be forgotten by now.
    lastJob = undefined
  }

  function noteRest(state: State, atMs: number, out: Out): void {
    begin(out)
    const { facts, effects } = out
    // A worker is dismissed before its attempts are lost, an attempt stopped before its task is settled as cancelled.
    for (; effectsSeen < effects.length; effectsSeen++) noteEffect(state, effects[effectsSeen] as Effect, atMs)
    for (; factsSeen < facts.length; factsSeen++) noteFact(state, facts[factsSeen] as Fact, atMs)
  }

  return {
    note: (state, event, out) => {
      begin(out)
      noteEvent(state, event)
      noteRest(state, event.atMs, out)
    },
    noteRest,
    recordsOf: ring.recordsOf,
    numberOf: ring.numberOf,
    visit: ring.visit,
  }
}

/** Whether it is this attempt that settled the task. */
function hasSettled(task: Task | undefined, { attempt }: AttemptRef, workerId: WorkerId): boolean {
  if (task?.status.kind !== 'settled') return false
  const { record } = task.status
  return record.attempt === attempt && record.workerId === workerId
}

function shortened({ message, reason }: TaskFailure): string {
  return message.length > maxDetailChars ? reason : message
}
