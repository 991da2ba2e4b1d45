import { askAgainForOutputs } from './archives.js'
import { expireJobs } from './deadlines.js'
import type { Out } from './effect.js'
import type { EventOf } from './event.js'
import { wakeDelayed } from './inputs.js'
import { releaseObjects } from './objects.js'
import { passQuarantines } from './quarantine.js'
import { expireResync } from './resync.js'
import { forgetOldJobs } from './retention.js'
import { expireSessions } from './sessions.js'
import type { State } from './state.js'
import { expireUnschedulable } from './unschedulable.js'
import { expireWorkers } from './workers.js'

/** Graces end, delays are over, old jobs are forgotten. */
export function passTime(state: State, event: EventOf<'timePassed'>, out: Out): void {
  const { atMs } = event
  forgiveStall(state, atMs)
  expireResync(state, atMs, out)
  expireJobs(state, atMs, out)
  wakeDelayed(state, atMs, out)
  const objectIds = expireSessions(state, event, out)
  if (objectIds.length > 0) releaseObjects(state, { kind: 'objectsReleased', atMs, objectIds }, out)
  expireWorkers(state, event, out)
  passQuarantines(state, atMs, out)
  askAgainForOutputs(state, atMs, out)
  expireUnschedulable(state, event, out)
  forgetOldJobs(state, atMs, out)
}

/** While the scheduler's process stood still, or its machine slept, nobody could be heard: that is nobody's silence. */
function forgiveStall(state: State, atMs: number): void {
  const stalledMs = atMs - (state.tickedAtMs ?? atMs) - state.policy.longestTickMs
  state.tickedAtMs = atMs
  if (stalledMs <= 0) return
  if (state.resyncUntilMs !== undefined) state.resyncUntilMs += stalledMs
  for (const worker of state.workers.values()) {
    worker.heardAtMs = Math.min(atMs, worker.heardAtMs + stalledMs)
    if (worker.unlinkedSinceMs !== undefined) {
      worker.unlinkedSinceMs = Math.min(atMs, worker.unlinkedSinceMs + stalledMs)
    }
  }
  for (const session of state.sessions.values()) {
    if (session.goneSinceMs !== undefined) session.goneSinceMs = Math.min(atMs, session.goneSinceMs + stalledMs)
  }
}
