import type { ObjectId, SessionId } from '#libs/domain'

import { tellArchives } from './archives.js'
import { cancelTasks } from './cancel.js'
import { answer, type Out, retiredJob, unknownJob } from './effect.js'
import type { EventOf } from './event.js'
import type { Job, State } from './state.js'

/** Somebody speaks for the session: it is new, or taken up again after a cut. */
export function openSession(state: State, { sessionId }: EventOf<'sessionOpened'>, out: Out): void {
  const session = state.sessions.get(sessionId)
  if (session) session.goneSinceMs = undefined
  else state.sessions.set(sessionId, { sessionId, goneSinceMs: undefined })
  tellArchives(state, sessionId, out)
}

/** Nobody speaks for the session for now. */
export function closeSession(state: State, { sessionId, atMs }: EventOf<'sessionClosed'>): void {
  const session = state.sessions.get(sessionId)
  if (session) session.goneSinceMs ??= atMs
}

/** Something belongs to the session: when nobody speaks for it, somebody has to come within the grace. */
export function expectSession(state: State, sessionId: SessionId, atMs: number): void {
  if (!state.sessions.has(sessionId)) state.sessions.set(sessionId, { sessionId, goneSinceMs: atMs })
}

/** A session asks for a job's settles: those that are there, and each as it comes. */
export function followJob(state: State, event: EventOf<'jobFollowed'>, out: Out): void {
  const { sessionId, jobId, atMs } = event
  const job = state.jobs.get(jobId)
  if (job === undefined) {
    return answer(out, event, { refusal: state.history.has(jobId) ? retiredJob(jobId) : unknownJob(jobId) })
  }
  tellSettles(state, job, sessionId, atMs, out)
  answer(out, event, { jobId })
}

/** Tells a session of a job's settles: those that are there, and from now on each as it comes. */
export function tellSettles(state: State, job: Job, sessionId: SessionId, atMs: number, out: Out): void {
  expectSession(state, sessionId, atMs)
  job.followers.add(sessionId)
  const to = new Set([sessionId])
  for (const task of job.tasks) {
    if (task.status.kind === 'settled') out.effects.push({ kind: 'notifySettled', task, to })
  }
  out.effects.push({ kind: 'notifyJob', jobId: job.spec.jobId, to })
}

/**
 * Ends sessions that nobody came back for. Attached jobs that nobody else follows are cancelled, whoever submitted them.
 * Returns what the sessions held.
 */
export function expireSessions(state: State, { atMs }: EventOf<'timePassed'>, out: Out): ObjectId[] {
  const held: ObjectId[] = []
  for (const { sessionId, goneSinceMs } of state.sessions.values()) {
    if (goneSinceMs === undefined || atMs - goneSinceMs < state.policy.orphanGraceMs) continue
    state.sessions.delete(sessionId)
    for (const object of state.objects.values()) if (object.sessionId === sessionId) held.push(object.objectId)
    for (const job of state.jobs.values()) {
      const followed = job.followers.delete(sessionId)
      if ((!followed && job.sessionId !== sessionId) || !isOrphan(state, job)) continue
      const { settledAtMs, tasks } = job
      const { jobId } = job.spec
      if (settledAtMs === undefined) {
        cancelTasks(state, { kind: 'cancelRequested', atMs, jobId, reason: 'its client is gone' }, out)
      }
      for (const { index } of tasks) held.push(`${jobId}/${index}` as ObjectId)
    }
  }
  return held
}

/** Whether the job is attached, and nobody is left who would miss it. One without a session has nobody to lose. */
function isOrphan({ sessions }: State, { spec, sessionId: owner, followers }: Job): boolean {
  return !spec.detached && owner !== undefined && followers.size === 0 && !sessions.has(owner)
}
