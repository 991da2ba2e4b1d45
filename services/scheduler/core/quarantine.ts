import type { ObjectId } from '#libs/domain'

import type { Out } from './effect.js'
import { emit } from './emit.js'
import { objectIdOf } from './lookup.js'
import { takesTasks, updateRooms } from './slots.js'
import type { HostStanding, Quarantine, Standing, Trouble } from './standing.js'
import type { State, Task, Worker } from './state.js'

/**
 * Tasks failed on a worker, or with it, and perhaps not by a fault of theirs. Several such troubles in a row, each with
 * other tasks, put the worker in quarantine; when they were on several workers of one host, the host.
 */
export function noteTrouble(
  state: State,
  worker: Worker,
  tasks: Iterable<Task>,
  what: string,
  atMs: number,
  out: Out,
): void {
  const ids = new Set([...tasks].map(objectIdOf))
  const { host, workerId } = worker.profile
  if (failedOnOtherHost(state, host, ids)) return forgive(state, ids)
  const trouble: Trouble = { tasks: ids, workerId }
  worker.standing ??= { troubles: [], strikes: 0, troubledAtMs: atMs }
  const standing = getOrAdd(state, host, atMs)
  add(worker.standing, trouble, atMs)
  add(standing, trouble, atMs)
  const { quarantineAfter } = state.policy
  if (worker.standing.troubles.length >= quarantineAfter && state.workers.has(workerId)) {
    const untilMs = confine(state, worker.standing, (other) => other !== worker, atMs)
    if (untilMs) {
      worker.quarantine = { untilMs, why: `${quarantineAfter} tasks in a row failed on it: ${what}` }
      const confinement = { quarantine: worker.quarantine, strikes: worker.standing.strikes }
      emit(state, out, { kind: 'workerConfined', workerId, confinement })
    }
  }
  const places = new Set(standing.troubles.map((each) => each.workerId))
  if (standing.troubles.length < quarantineAfter || places.size < 2) return
  const untilMs = confine(state, standing, ({ profile }) => profile.host !== host, atMs)
  if (untilMs === undefined) return
  standing.quarantine = {
    untilMs,
    why: `${quarantineAfter} tasks in a row failed on several workers of ${host}: ${what}`,
  }
  const confinement = { quarantine: standing.quarantine, strikes: standing.strikes }
  emit(state, out, { kind: 'hostConfined', host, confinement })
  for (const each of state.workers.values()) if (each.profile.host === host) obeyHost(state, each)
}

/** A task is to blame itself: what went wrong with it was not the place's fault. */
export function noteFault(state: State, task: Task): void {
  forgive(state, new Set([objectIdOf(task)]))
}

/** A task ran on the worker: neither it nor its host is bad altogether. */
export function noteRun(state: State, worker: Worker | undefined): void {
  if (worker === undefined) return
  worker.standing = undefined
  if (state.hosts.size === 0) return
  const standing = state.hosts.get(worker.profile.host)
  if (standing?.quarantine) {
    standing.troubles = []
    standing.strikes = 0
  } else state.hosts.delete(worker.profile.host)
}

/** A worker that is new shares the quarantine of its host. */
export function obeyHost(state: State, worker: Worker): void {
  const quarantine = state.hosts.get(worker.profile.host)?.quarantine
  if (quarantine && quarantine.untilMs > (worker.quarantine?.untilMs ?? 0)) worker.quarantine = quarantine
}

/** After a replay: hosts that were in quarantine still are. */
export function recallQuarantines(state: State, atMs: number): void {
  for (const [host, { quarantine, strikes }] of state.confinedHosts) {
    state.hosts.set(host, { troubles: [], strikes, troubledAtMs: atMs, quarantine })
  }
}

/** The worker was in quarantine before a restart. */
export function recallConfinement({ attached }: State, worker: Worker, atMs: number): void {
  const confinement = attached.get(worker.profile.workerId)
  if (confinement === undefined) return
  worker.quarantine = confinement.quarantine
  worker.standing = { troubles: [], strikes: confinement.strikes, troubledAtMs: atMs }
}

/** Quarantines end. When no worker takes tasks any more, the one that would end first ends now. */
export function passQuarantines(state: State, atMs: number, out: Out): void {
  for (const [host, standing] of state.hosts) {
    if (standing.quarantine && standing.quarantine.untilMs <= atMs) {
      standing.quarantine = undefined
      emit(state, out, { kind: 'hostFreed', host })
    }
    const isOld = atMs - standing.troubledAtMs >= 2 * state.policy.maxQuarantineMs
    if (isOld && standing.quarantine === undefined) state.hosts.delete(host)
  }
  let first: Worker | undefined
  let someTakeTasks = false
  for (const worker of state.workers.values()) {
    if (worker.quarantine && worker.quarantine.untilMs <= atMs) free(state, worker, out)
    if (takesTasks(worker)) someTakeTasks = true
    else if (isConfinedOnly(worker) && worker.quarantine.untilMs < (first?.quarantine?.untilMs ?? Infinity))
      first = worker
  }
  if (!someTakeTasks && first) free(state, first, out)
}

function free(state: State, worker: Worker, out: Out): void {
  worker.quarantine = undefined
  const { workerId } = worker.profile
  if (state.attached.get(workerId)) emit(state, out, { kind: 'workerConfined', workerId, confinement: undefined })
  updateRooms(state, worker)
}

type Confined = Worker & { readonly quarantine: Quarantine }

/** Whether only the quarantine keeps tasks away. */
function isConfinedOnly(worker: Worker): worker is Confined {
  return worker.quarantine !== undefined && takesTasks({ ...worker, quarantine: undefined })
}

/** Until when the quarantine lasts; nothing when none but this place would take tasks. */
function confine(
  { workers, policy }: State,
  standing: Standing,
  isElsewhere: (worker: Worker) => boolean,
  atMs: number,
): number | undefined {
  if (![...workers.values()].some((worker) => isElsewhere(worker) && takesTasks(worker))) return undefined
  const ms = Math.min(policy.maxQuarantineMs, policy.firstQuarantineMs * 2 ** standing.strikes)
  standing.strikes++
  standing.troubles = []
  return atMs + ms
}

/** The same task again is no further trouble of the place: it may be the task's. */
function add(standing: Standing, trouble: Trouble, atMs: number): void {
  standing.troubledAtMs = atMs
  const isKnown = standing.troubles.some(({ tasks }) => [...trouble.tasks].some((id) => tasks.has(id)))
  if (!isKnown) standing.troubles.push(trouble)
}

function failedOnOtherHost({ hosts }: State, host: string, ids: ReadonlySet<ObjectId>): boolean {
  if (ids.size > 1) return false
  for (const [other, { troubles }] of hosts) {
    if (other !== host && troubles.some(({ tasks }) => tasks.size === 1 && [...tasks].some((id) => ids.has(id))))
      return true
  }
  return false
}

function forgive({ hosts, workers }: State, ids: ReadonlySet<ObjectId>): void {
  const isOthers = ({ tasks }: Trouble): boolean => ![...tasks].some((id) => ids.has(id))
  for (const standing of hosts.values()) standing.troubles = standing.troubles.filter(isOthers)
  for (const { standing } of workers.values()) if (standing) standing.troubles = standing.troubles.filter(isOthers)
}

function getOrAdd({ hosts }: State, host: string, atMs: number): HostStanding {
  let standing = hosts.get(host)
  if (standing === undefined) {
    standing = { troubles: [], strikes: 0, troubledAtMs: atMs, quarantine: undefined }
    hosts.set(host, standing)
  }
  return standing
}
