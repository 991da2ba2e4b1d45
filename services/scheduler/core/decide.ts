import { archiveOutputsOfJob, requestArchives } from './archives.js'
import { noteWaits } from './awaiting.js'
import { cancelTasks } from './cancel.js'
import { endChildren } from './children.js'
import { endFailedJobs } from './deadlines.js'
import { emit } from './emit.js'
import { refuseChanged } from './etag.js'
import { answer, type Out, unknownJob } from './effect.js'
import type { Event, EventOf } from './event.js'
import { archiveObjects, departWorker } from './handover.js'
import { joinWorker } from './joining.js'
import { dropObjects, releaseObjects, scatterBlobs, storeObjects } from './objects.js'
import { placeQueued as fillSlots } from './placement.js'
import { closeSession, followJob, openSession } from './sessions.js'
import { endTasks } from './settle.js'
import { answerOnce } from './requests.js'
import type { State } from './state.js'
import { submitJob } from './submit.js'
import { passTime } from './time.js'
import { drainWorker, hearWorker, leaveWorker, returnTasks, startTasks, unlinkWorker } from './workers.js'

/**
 * The whole scheduler: the same state and the same event always give the same facts and effects. Mutates `state`; appends
 * to `out` the facts that must be remembered and, after them, the effects that must be done.
 */
export function decide(state: State, event: Event, out: Out): void {
  decideEvent(state, event, out)
  endWithOthers(state, event.atMs, out)
}

function decideEvent(state: State, event: Event, out: Out): void {
  switch (event.kind) {
    case 'jobSubmitted':
      return submitJob(state, event, out)
    case 'cancelRequested':
      return answerOnce(state, event, out, cancelTasks)
    case 'taskRegistered':
      return answerOnce(state, event, out, registerTask)
    case 'persistRequested':
      return answerOnce(state, event, out, persistJob)
    case 'drainRequested':
      return answerOnce(state, event, out, drainWorker)
    case 'sessionOpened':
      return openSession(state, event, out)
    case 'sessionClosed':
      return closeSession(state, event)
    case 'jobFollowed':
      return followJob(state, event, out)
    case 'objectsReleased':
      return releaseObjects(state, event, out)
    case 'workerJoined':
      return joinWorker(state, event, out)
    case 'workerHeard':
      return hearWorker(state, event)
    case 'workerUnlinked':
      return unlinkWorker(state, event)
    case 'workerLeft':
      return leaveWorker(state, event, out)
    case 'tasksStarted':
      return startTasks(state, event)
    case 'tasksWaited':
      return noteWaits(state, event, out)
    case 'tasksEnded':
      return endTasks(state, event, out)
    case 'tasksReturned':
      return returnTasks(state, event, out)
    case 'objectsStored':
      return storeObjects(state, event, out)
    case 'objectsDropped':
      return dropObjects(state, event, out)
    case 'workerDeparting':
      return departWorker(state, event, out)
    case 'objectsArchived':
      return archiveObjects(state, event, out)
    case 'blobsScattered':
      return scatterBlobs(state, event, out)
    case 'archivesRequested':
      return requestArchives(state, event, out)
    case 'timePassed':
      return passTime(state, event, out)
    default:
      return event satisfies never
  }
}

/** Sends what is ready to workers that have room. Called once after a batch of events, not after each. */
export function placeQueued(state: State, atMs: number, out: Out): void {
  // A task that cannot be sent anywhere fails, and may end its job.
  do fillSlots(state, atMs, out)
  while (endWithOthers(state, atMs, out))
}

/** What ends because something else did: jobs with their first failure, jobs with the task that submitted them. */
function endWithOthers(state: State, atMs: number, out: Out): boolean {
  let ended = false
  while (state.failing.size + state.bereft.size > 0) {
    if (endFailedJobs(state, atMs, out)) ended = true
    if (endChildren(state, atMs, out)) ended = true
  }
  return ended
}

function registerTask(state: State, event: EventOf<'taskRegistered'>, out: Out): void {
  const key = `${event.name}@${event.version}`
  const known = state.registeredTasks.get(key)
  const same = known?.bundleDigest === event.function.bundleDigest && known.taskName === event.function.taskName
  if (known && !same) {
    const message = `${key} is registered with another function: register it under a new version`
    const resource = { type: 'costate.registeredTask', name: key }
    return answer(out, event, { refusal: { code: 'ALREADY_EXISTS', reason: 'TASK_EXISTS', message, resource } })
  }
  if (!known) emit(state, out, { kind: 'taskRegistered', key, function: event.function })
  answer(out, event)
}

function persistJob(state: State, event: EventOf<'persistRequested'>, out: Out): void {
  const { jobId, name, etag } = event
  const job = state.jobs.get(jobId)
  const refusal = job ? refuseChanged(job, etag) : unknownJob(jobId)
  if (refusal) return answer(out, event, { refusal })
  const holder = state.persisted.get(name)
  if (holder !== undefined && holder !== jobId) {
    const message = `the name '${name}' is taken by job ${holder}`
    const resource = { type: 'costate.job', name: holder }
    return answer(out, event, { refusal: { code: 'ALREADY_EXISTS', reason: 'NAME_TAKEN', message, resource } })
  }
  if (holder === undefined) emit(state, out, { kind: 'jobPersisted', jobId, name })
  answer(out, event, { jobId })
  if (holder === undefined && job) archiveOutputsOfJob(state, job, out)
}
