import { formatDuration, type WorkerId } from '#libs/domain'

import { objectIdOf } from './lookup.js'
import type { Task } from './state.js'
import type { StoryRecord } from './story-ring.js'

/** One thing that happened to a task, for people and programs. */
export interface StoryLine {
  /** 0 when that is not known any more. */
  readonly atMs: number
  /** The fact or event, as the scheduler calls it. */
  readonly event: StoryRecord['happening'] | 'forgotten'
  readonly text: string
  /** 0 for none. */
  readonly attempt: number
  readonly workerId: WorkerId | undefined
}

/**
 * Every fact and event that touched a task, in order. What the ring has forgotten, or another process of the scheduler has
 * seen, is told as far as the task itself knows it: its submit and its settle are facts.
 */
export function storyOf(task: Task, records: readonly StoryRecord[]): StoryLine[] {
  const told = records.filter((record, nth) => !isToldBy(record, records[nth + 1])).map(lineOf)
  const settle = settleOf(task)
  if (settle.length > 0) {
    // The settle that counts now has its whole message with the task.
    const last = told.findLastIndex(({ event }) => event === 'taskSettled')
    if (last > told.findLastIndex(({ event }) => event === 'taskReopened')) {
      told[last] = { ...(told[last] as StoryLine), text: settle.at(-1)?.text ?? '' }
    } else told.push(...settle)
  }
  return records.some(({ happening }) => happening === 'jobSubmitted') ? told : [...beginningOf(task), ...told]
}

function beginningOf({ job, status, attempt }: Task): StoryLine[] {
  const line = { attempt: 0, workerId: undefined }
  const submitted: StoryLine = {
    ...line,
    atMs: job.submittedAtMs,
    event: 'jobSubmitted',
    text: 'its job was submitted',
  }
  if (status.kind !== 'settled' && attempt === 0) return [submitted]
  const text = 'what came then is forgotten: the scheduler was restarted, or remembers what is newer'
  return [submitted, { ...line, atMs: 0, event: 'forgotten', text }]
}

/** The settle as the task remembers it. */
function settleOf(task: Task): StoryLine[] {
  const { status } = task
  if (status.kind !== 'settled') return []
  const { outcome, record } = status
  const { attempt, workerId, startedAtMs, endedAtMs } = record
  const line = { attempt, workerId }
  const ran = workerId !== undefined && startedAtMs > 0
  const detail = outcome.kind === 'failed' ? outcome.failure.message : undefined
  const text = ownWords(task) ?? settleText({ attempt, workerId, ms: endedAtMs - startedAtMs, detail })
  return [
    ...(ran
      ? [{ ...line, atMs: startedAtMs, event: 'tasksStarted', text: `began to run on ${workerId}` } as const]
      : []),
    { ...line, atMs: endedAtMs, event: 'taskSettled', text },
  ]
}

/** The return of a worker says nothing beside what it has of the task. */
function isToldBy({ happening, atMs }: StoryRecord, next: StoryRecord | undefined): boolean {
  return happening === 'workerJoined' && next?.happening === 'attemptClaimed' && next.atMs === atMs
}

function lineOf(record: StoryRecord): StoryLine {
  const { atMs, happening, attempt, workerId } = record
  return { atMs, event: happening, text: textOf(record), attempt, workerId }
}

function textOf(record: StoryRecord): string {
  const { happening, attempt, workerId = 'its worker', ms, detail } = record
  const because = detail ? `: ${detail}` : ''
  switch (happening) {
    case 'jobSubmitted':
      return 'its job was submitted'
    case 'jobCancelled':
      return 'its job was cancelled'
    case 'jobPersisted':
      return `its job was persisted as '${detail ?? ''}'`
    case 'cancelRequested':
      return `somebody asked to cancel it${because}`
    case 'runTask':
      return `sent to ${workerId} as attempt ${attempt}, after ${formatDuration(ms)} in the queue`
    case 'cancelAttempt':
      return `${workerId} was told to stop attempt ${attempt}${because}`
    case 'recallTask':
      return `${workerId} was asked to give it back unless it has begun: another worker is free`
    case 'tasksStarted':
      return `began to run on ${workerId}`
    case 'tasksWaited':
      return `waits on ${workerId}, without a slot, for what it submitted`
    case 'tasksWoken':
      return `has what it waited for on ${workerId}, and wants its slot back`
    case 'resumeTask':
      return `has a slot on ${workerId} again`
    case 'inputsFetched':
      return `${workerId} had its inputs after ${formatDuration(ms)}`
    case 'childSubmitted':
      return `attempt ${attempt} submitted job ${detail ?? ''}`
    case 'tasksEnded':
      return `attempt ${attempt} ended on ${workerId} and did not count${because}`
    case 'tasksReturned':
      return `${workerId} gave it back, not started`
    case 'taskSettled':
      return settleText(record)
    case 'attemptLost':
      return `attempt ${attempt} was lost`
    case 'taskSuspected':
      return 'it may have ended that worker: it runs alone next, to see whether it did'
    case 'taskReopened':
      return 'its result was lost with the last worker that held it, and is computed again'
    case 'attemptClaimed':
      return `${workerId} linked, and has attempt ${attempt}`
    case 'workerJoined':
      return `${workerId} linked again, and does not have it`
    case 'workerUnlinked':
      return `the link of ${workerId} broke`
    case 'workerLeft':
      return `${workerId} left in order`
    case 'drainWorker':
      return `${workerId} was told to drain${because}`
    case 'dismissWorker':
      return `${workerId} was given up${because}`
    default:
      return happening satisfies never
  }
}

function settleText({ attempt, workerId, ms, detail }: Omit<StoryRecord, 'atMs' | 'happening'>): string {
  const how = detail === undefined ? 'finished' : 'failed'
  const where = workerId === undefined ? '' : ` in attempt ${attempt} on ${workerId}, having run ${formatDuration(ms)}`
  return `${how}${where}${detail === undefined ? '' : `: ${detail}`}`
}

/** How the task ended as its failure says it, when that begins with the task: `was cancelled: …`. */
export function ownWords(task: Task): string | undefined {
  const { status } = task
  if (status.kind !== 'settled' || status.outcome.kind === 'finished') return undefined
  const { message } = status.outcome.failure
  const subject = `task ${objectIdOf(task)} `
  return message.startsWith(subject) ? message.slice(subject.length) : undefined
}
