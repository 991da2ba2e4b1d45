import type { ObjectId } from '#libs/domain'

import type { Effect } from '../effect.js'
import type { AttemptRef } from '../event.js'
import type { Task } from '../state.js'

/** Gives the short name of a task or buffer in a test. */
export type NameOf = (objectId: ObjectId) => string

/** An effect in a line: what a test says should happen, and nothing else. */
export function renderEffect(effect: Effect, nameOf: NameOf): string {
  const attemptIn = ({ jobId, index, attempt }: AttemptRef): string =>
    `${nameOf(`${jobId}/${index}` as ObjectId)}#${attempt}`
  switch (effect.kind) {
    case 'runTask':
      return `run ${taskIn(effect.task, nameOf)}#${effect.attempt} on ${effect.workerId}${behindIn(effect.task, nameOf)}`
    case 'cancelAttempt':
      return `cancel ${attemptIn(effect.attempt)} on ${effect.workerId}`
    case 'recallTask':
      return `recall ${attemptIn(effect.attempt)} from ${effect.workerId}`
    case 'resumeTask':
      return `resume ${attemptIn(effect.attempt)} on ${effect.workerId}`
    case 'acknowledgeEnd':
      return `acknowledge ${attemptIn(effect.attempt)} to ${effect.workerId}`
    case 'releaseObject':
      return `release ${nameOf(effect.objectId)} on ${effect.workerId}`
    case 'acknowledgeStored':
      return `acknowledge ${effect.requestId} to ${effect.workerId}`
    case 'drainWorker':
      return `drain ${effect.workerId}`
    case 'handOver':
      return `hand over ${effect.objectIds.map(nameOf).join(', ') || 'nothing'} on ${effect.workerId}`
    case 'releaseArchive':
      return `release the archive of ${nameOf(effect.objectId)} by ${effect.workerId}`
    case 'dismissWorker':
      return `dismiss ${effect.workerId}`
    case 'notifySettled':
      return `tell ${audience(effect.to)} ${taskIn(effect.task, nameOf)} ${renderStatus(effect.task)}`
    case 'notifyJob':
      return `tell ${audience(effect.to)} job ${effect.jobId}`
    case 'notifyLost':
      return `tell ${audience(effect.to)} ${nameOf(effect.objectId)} is lost`
    case 'notifyArchived':
      return `tell ${audience(effect.to)} ${nameOf(effect.objectId)} is archived`
    case 'answer':
      return effect.refusal ? `refuse ${effect.refusal.reason}` : `answer ${effect.jobId ?? 'yes'}`
    default:
      return effect satisfies never
  }
}

/** What is true of a task, in a few words. */
export function renderStatus({ status }: Task): string {
  switch (status.kind) {
    case 'waiting':
      return `waits for ${status.missing}`
    case 'delayed':
      return `is delayed until ${status.untilMs}`
    case 'queued':
      return 'is queued'
    case 'assigned':
      return `is on ${status.workerId}`
    case 'running':
      return `runs on ${status.workerId}`
    case 'awaiting':
      return `${status.wokenAtMs === undefined ? 'awaits' : 'wants to go on'} on ${status.workerId}`
    case 'settled': {
      const { outcome } = status
      return outcome.kind === 'finished' ? 'finished' : `failed: ${outcome.failure.kind} ${outcome.failure.reason}`
    }
    default:
      return status satisfies never
  }
}

function taskIn({ job, index }: Task, nameOf: NameOf): string {
  return nameOf(`${job.spec.jobId}/${index}` as ObjectId)
}

/** What the task was sent ahead of. */
function behindIn({ status }: Task, nameOf: NameOf): string {
  const behind = status.kind === 'assigned' ? status.behind : []
  return behind.length === 0 ? '' : ` behind ${behind.map((input) => taskIn(input, nameOf)).join(', ')}`
}

function audience(sessions: ReadonlySet<string>): string {
  return sessions.size === 0 ? 'nobody' : [...sessions].join('+')
}
