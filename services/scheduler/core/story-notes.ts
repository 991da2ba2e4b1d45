import type { TaskFailure, WorkerId } from '#libs/domain'

import type { Effect, Out } from './effect.js'
import type { AttemptRef, Event } from './event.js'
import type { Fact } from './fact.js'
import type { Job, State, Task } from './state.js'
import { createStoryRing, type Happening, type StoryRecord, type StoryRing, whole } from './story-ring.js'

/** A longer message is not kept alive for the story: the settle of the task has it. */
const maxDetailChars = 200

/** Takes down what happens, for people who ask what became of a task. It decides nothing, and no restart needs it. */
export interface StoryNotes {
  /** Takes note of an event that was just decided, and of what it added to `out` since the last call. */
  note(state: State, event: Event, out: Out): void
  /** Takes note of what was added to `out` since the last call. */
  noteRest(state: State, atMs: number, out: Out): void
  recordsOf(task: Task): StoryRecord[]
}

export function createStoryNotes(ring: StoryRing = createStoryRing()): StoryNotes {
  const { write } = ring
  let seen: { readonly out: Out | undefined; facts: number; effects: number } = { out: undefined, facts: 0, effects: 0 }

  const writeRef = (
    state: State,
    atMs: number,
    happening: Happening,
    { jobId, index, attempt }: AttemptRef,
    workerId: WorkerId | undefined,
    ms = 0,
    detail?: string,
  ): void => {
    const job = state.jobs.get(jobId)
    if (job) write(atMs, happening, job.number, index, attempt, workerId, ms, detail)
  }

  function noteEvent(state: State, event: Event): void {
    const { atMs } = event
    switch (event.kind) {
      case 'tasksStarted':
        for (const ref of event.attempts) writeRef(state, atMs, 'tasksStarted', ref, event.workerId, ref.startedAtMs)
        return
      case 'tasksEnded':
        for (const end of event.ends) {
          const detail = end.outcome.kind === 'failed' ? shortened(end.outcome.failure) : undefined
          writeRef(state, atMs, 'tasksEnded', end, event.workerId, end.endedAtMs - end.startedAtMs, detail)
        }
        return
      case 'tasksReturned':
        for (const ref of event.attempts) writeRef(state, atMs, 'tasksReturned', ref, event.workerId)
        return
      case 'cancelRequested': {
        const job = state.jobs.get(event.jobId)
        for (const index of event.indices ?? [whole]) {
          if (job) write(atMs, 'cancelRequested', job.number, index, 0, undefined, 0, event.reason)
        }
        return
      }
      case 'workerJoined': {
        const { workerId } = event.profile
        write(atMs, 'workerJoined', whole, whole, 0, workerId)
        for (const ref of event.attempts) writeRef(state, atMs, 'attemptClaimed', ref, workerId)
        return
      }
      case 'workerUnlinked':
      case 'workerLeft':
        return write(atMs, event.kind, whole, whole, 0, event.workerId)
      default:
      // Answered by facts and effects, or about no task.
    }
  }

  function noteFact(state: State, fact: Fact, atMs: number): void {
    switch (fact.kind) {
      case 'jobSubmitted':
        return noteJob(state.jobs.get(fact.job.jobId), atMs, fact.kind)
      case 'jobCancelled':
        return noteJob(state.jobs.get(fact.jobId), atMs, fact.kind)
      case 'jobPersisted':
        return noteJob(state.jobs.get(fact.jobId), atMs, fact.kind, fact.name)
      case 'taskSettled': {
        const { record, outcome, jobId, index } = fact
        const detail = outcome.kind === 'failed' ? shortened(outcome.failure) : undefined
        const ref = { jobId, index, epoch: 0, attempt: record.attempt }
        return writeRef(state, atMs, 'taskSettled', ref, record.workerId, record.endedAtMs - record.startedAtMs, detail)
      }
      case 'attemptLost':
      case 'taskReopened': {
        const attempt = state.jobs.get(fact.jobId)?.tasks[fact.index]?.attempt ?? 0
        return writeRef(state, atMs, fact.kind, { ...fact, epoch: 0, attempt }, undefined)
      }
      default:
      // About no task.
    }
  }

  function noteJob(job: Job | undefined, atMs: number, happening: Happening, detail?: string): void {
    if (job) write(atMs, happening, job.number, whole, 0, undefined, 0, detail)
  }

  function noteEffect(state: State, effect: Effect, atMs: number): void {
    switch (effect.kind) {
      case 'runTask': {
        const { task, attempt, workerId } = effect
        return write(atMs, 'runTask', task.job.number, task.index, attempt, workerId, atMs - task.readyAtMs)
      }
      case 'cancelAttempt':
        return writeRef(state, atMs, 'cancelAttempt', effect.attempt, effect.workerId, 0, effect.reason)
      case 'drainWorker':
      case 'dismissWorker':
        return write(atMs, effect.kind, whole, whole, 0, effect.workerId, 0, effect.reason)
      default:
      // Follows from a fact that is noted, or is about no task.
    }
  }

  function noteRest(state: State, atMs: number, out: Out): void {
    if (seen.out !== out) seen = { out, facts: 0, effects: 0 }
    const { facts, effects } = out
    // A worker is dismissed before its attempts are lost, an attempt stopped before its task is settled as cancelled.
    for (; seen.effects < effects.length; seen.effects++) noteEffect(state, effects[seen.effects] as Effect, atMs)
    for (; seen.facts < facts.length; seen.facts++) noteFact(state, facts[seen.facts] as Fact, atMs)
  }

  return {
    note: (state, event, out) => {
      noteEvent(state, event)
      noteRest(state, event.atMs, out)
    },
    noteRest,
    recordsOf: ring.recordsOf,
  }
}

function shortened({ message, reason }: TaskFailure): string {
  return message.length > maxDetailChars ? reason : message
}
