import { cancelTasks } from './cancel.js'
import { answer, type Out } from './effect.js'
import type { EventOf } from './event.js'
import { objectIdOf } from './lookup.js'
import { releaseObjects } from './objects.js'
import type { State } from './state.js'

/** Somebody speaks for the session: it is new, or taken up again after a cut. */
export function openSession(state: State, { sessionId }: EventOf<'sessionOpened'>): void {
  const session = state.sessions.get(sessionId)
  if (session) session.goneSinceMs = undefined
  else state.sessions.set(sessionId, { sessionId, goneSinceMs: undefined })
}

/** Nobody speaks for the session for now. */
export function closeSession(state: State, { sessionId, atMs }: EventOf<'sessionClosed'>): void {
  const session = state.sessions.get(sessionId)
  if (session) session.goneSinceMs ??= atMs
}

/** Tells a session of a job's settles: those that are there, and each as it comes. */
export function followJob(state: State, event: EventOf<'jobFollowed'>, out: Out): void {
  const { sessionId, jobId } = event
  const job = state.jobs.get(jobId)
  if (job === undefined) {
    const message = `job ${jobId} is unknown or forgotten`
    return answer(out, event, { refusal: { code: 'NOT_FOUND', reason: 'JOB_NOT_FOUND', message, metadata: { jobId } } })
  }
  job.followers.add(sessionId)
  const to = new Set([sessionId])
  for (const task of job.tasks) {
    if (task.status.kind === 'settled') out.effects.push({ kind: 'notifySettled', task, to })
  }
  out.effects.push({ kind: 'notifyJob', jobId, to })
  answer(out, event, { jobId })
}

/** Ends sessions that nobody came back for: their attached jobs are cancelled, their holds given up. */
export function expireSessions(state: State, { atMs }: EventOf<'timePassed'>, out: Out): void {
  for (const { sessionId, goneSinceMs } of [...state.sessions.values()]) {
    if (goneSinceMs === undefined || atMs - goneSinceMs < state.policy.orphanGraceMs) continue
    state.sessions.delete(sessionId)
    const objectIds = [...state.objects.values()].filter((object) => object.sessionId === sessionId).map(objectIdOf)
    for (const job of state.jobs.values()) {
      job.followers.delete(sessionId)
      if (job.sessionId !== sessionId || job.spec.detached) continue
      const reason = 'its client is gone'
      if (job.settledAtMs === undefined) {
        cancelTasks(state, { kind: 'cancelRequested', atMs, jobId: job.spec.jobId, reason }, out)
      }
      if (job.persistedAs === undefined) objectIds.push(...job.tasks.map(objectIdOf))
    }
    releaseObjects(state, { kind: 'objectsReleased', atMs, objectIds }, out)
  }
}
