import { type Demand, isPlain, type Shape } from './demand-class.js'
import type { Placement, State, Task, TaskStatus, Worker } from './state.js'

/** How much work of a short kind is sent ahead to a slot, so that it never waits for the next command. */
const soonMs = 20
/** How much is while enough is left for all, so that ends are reported and commands sent several at once. */
const aheadMs = 200
/** A task that should run so long at most may have one more waiting for its slot. */
const longestAheadMs = 150
/** The most tasks that are sent ahead to a slot: of the shortest it ends some hundred while a batch of ends is recorded. */
const maxAhead = 512
/** The shortest time that a task is taken to run. */
const leastMs = 0.01
/** Smoothing of the measured run times: the weight of the newest. */
const newestWeight = 0.2
/** The most kinds whose run times are known; then the one learnt first is forgotten. */
const maxKinds = 10_000
/** Of a kind that waited, so many end without a wait before it is sent ahead again. */
const endsAfterWait = 100

/** Learns how long tasks of this kind run. */
export function learnRunTime(state: State, task: Task, runMs: number): void {
  // Worker clocks may jump, and a report may hold anything.
  if (!(runMs >= 0) || runMs === Infinity) return
  const kind = kindOf(task)
  const known = state.meanRunMs.get(kind)
  state.meanRunMs.set(kind, known === undefined ? runMs : known + newestWeight * (runMs - known))
  const ends = state.waitingKinds.get(kind)
  if (ends === endsAfterWait) state.waitingKinds.delete(kind)
  else if (ends !== undefined) state.waitingKinds.set(kind, ends + 1)
  if (state.meanRunMs.size <= maxKinds) return
  for (const oldest of state.meanRunMs.keys()) {
    state.meanRunMs.delete(oldest)
    state.checkpointingKinds.delete(oldest)
    return
  }
}

/** A task of this kind waits for tasks that it submitted. */
export function noteWaitingKind({ waitingKinds }: State, task: Task): void {
  waitingKinds.set(kindOf(task), 0)
  if (waitingKinds.size <= maxKinds) return
  for (const oldest of waitingKinds.keys()) return void waitingKinds.delete(oldest)
}

/**
 * How long the task should run; nothing when its kind is unknown or too long for others to queue behind it. Nor when tasks of its
 * kind wait for what they submit: of a recursion the deepest comes first, and what was sent ahead would begin before that.
 */
export function expectedMsOf(state: State, task: Task): number | undefined {
  if (task.spec.needs !== undefined && !isPlain(demandOfTask(task).shape)) return undefined
  const kind = kindOf(task)
  if (state.waitingKinds.has(kind)) return undefined
  const meanMs = state.meanRunMs.get(kind)
  return meanMs === undefined || meanMs > longestAheadMs ? undefined : Math.max(meanMs, leastMs)
}

/** What the task asks of the place where it runs. */
export function demandOfTask({ job, spec }: Task): Demand {
  return spec.needs ? (job.demands[spec.needs - 1] ?? job.plainDemand) : job.plainDemand
}

/** Whether the worker may be sent tasks at all. */
export function takesTasks({ draining, quarantine, unlinkedSinceMs, pulse, profile }: Worker): boolean {
  const isAway = draining || quarantine !== undefined || unlinkedSinceMs !== undefined
  return !isAway && !pulse.isPaused && profile.slots > 0
}

/**
 * Late binding: a task goes to a free slot. Only tasks that should be short are sent ahead of their time, and only behind
 * others that should be short, so that none is stuck behind a long one while another worker is idle: one for each slot, so
 * that it has its next task when it ends one, and of very short ones as many as keep it busy until the next command.
 */
export function hasRoom(worker: Worker, expectedMs: number | undefined): boolean {
  const { slots } = worker.profile
  const size = occupantsOf(worker)
  if (!isOpen(worker)) return false
  if (size + worker.extraSlots < slots) return true
  // What runs in a place of its own there must not be taken for a slot that others can wait behind.
  if (worker.extraSlots > 0) return false
  const shortSlots = slots - worker.longTasks
  if (expectedMs === undefined || shortSlots <= 0) return false
  const shortTasks = size - worker.longTasks
  // One of them runs in each slot. Which task asks makes no difference: a worker has room for any short one or for none.
  if (shortTasks < 2 * shortSlots) return true
  const meanMs = worker.shortMs / shortTasks
  return shortTasks < shortSlots * maxAhead && worker.shortMs + meanMs <= shortSlots * (aheadMs + meanMs)
}

/** Whether nothing keeps plain tasks away but those that are there. */
export function isOpen(worker: Worker): boolean {
  const isKept = worker.reserved || worker.keptFor !== undefined
  // Who wants a slot back comes first.
  return takesTasks(worker) && !isKept && worker.suspects === 0 && worker.woken.size === 0
}

/** How many of its tasks run, or wait for nothing but a slot. */
export function occupantsOf({ tasks, followers }: Worker): number {
  return tasks.size - followers
}

/**
 * Whether a short task may be sent behind its inputs: those who wait so have room of their own, the same for each chain of them
 * as a slot has, because one that follows another runs in its place.
 */
export function hasRoomBehind(worker: Worker, expectedMs: number): boolean {
  if (!isOpen(worker) || worker.extraSlots > 0 || expectedMs > soonMs) return false
  const chains = Math.max(1, Math.min(worker.profile.slots, occupantsOf(worker)))
  return worker.followers < chains * maxAhead && worker.followersMs + expectedMs <= chains * soonMs
}

/** How long what is sent to a worker that has room waits there for a slot, as far as that can be told. */
export function queueMsOf(worker: Worker): number {
  const { slots } = worker.profile
  if (occupantsOf(worker) + worker.extraSlots < slots) return 0
  return worker.shortMs / Math.max(1, slots - worker.longTasks)
}

/** Whether the worker was sent all that must be there before its slots are through with what they have. */
export function isAhead(worker: Worker): boolean {
  const shortSlots = worker.profile.slots - worker.longTasks
  return worker.shortMs >= shortSlots * soonMs && occupantsOf(worker) - worker.longTasks >= 2 * shortSlots
}

/** Whether the worker has room for a short task: else it has none for any. */
export function takesShort(worker: Worker): boolean {
  return hasRoom(worker, leastMs)
}

/** The task takes its place on the worker. */
export function occupySlot(state: State, worker: Worker, task: Task, { expectedMs, behind }: Placement): void {
  worker.tasks.add(task)
  if (task.suspect) worker.suspects++
  if (behind.length > 0) follow(worker, 1, expectedMs)
  else if (expectedMs === undefined) worker.longTasks++
  else worker.shortMs += expectedMs
  if (task.spec.needs !== undefined) takeResources(worker, task, 1)
  if (!task.dependents?.size) return
  worker.tails.add(task)
  state.extendable.add(worker)
}

/** A task waits behind its inputs, or waits no longer. */
function follow(worker: Worker, sign: 1 | -1, expectedMs = 0): void {
  worker.followers += sign
  // Sums of fractions drift.
  worker.followersMs = worker.followers === 0 ? 0 : worker.followersMs + sign * expectedMs
}

/** What the task was sent behind is there: it takes a slot as any other. */
export function takeTurn(state: State, { workerId, expectedMs }: Placement): void {
  const worker = state.workers.get(workerId)
  if (worker === undefined) return
  follow(worker, -1, expectedMs)
  if (expectedMs === undefined) worker.longTasks++
  else worker.shortMs += expectedMs
  if (worker.tails.size > 0) state.extendable.add(worker)
  updateRooms(state, worker)
}

/**
 * The task waits for tasks that it submitted: it gives back its slots and what it took beside them, but for its memory, which
 * it still uses, and its devices, which its environment names.
 */
export function waitWithoutSlot(state: State, task: Task, worker: Worker): void {
  vacateSlot(state, task)
  worker.awaiting.add(task)
  takeKept(worker, task, 1)
  updateRooms(state, worker)
}

/** Whether a waiting task keeps what it took of the resource. */
export function isKept(name: string): boolean {
  return name === 'memory' || name === 'gpu'
}

function takeKept(worker: Worker, task: Task, sign: 1 | -1): void {
  if (task.spec.needs === undefined) return
  takeOthers(
    worker,
    demandOfTask(task).shape.others.filter(([name]) => isKept(name)),
    sign,
  )
}

/** What the task takes beside a slot: `sign` is 1 when it comes and -1 when it goes. */
function takeResources(worker: Worker, task: Task, sign: 1 | -1): void {
  const { slots, others } = demandOfTask(task).shape
  worker.extraSlots += sign * (slots - 1)
  takeOthers(worker, others, sign)
}

function takeOthers(worker: Worker, others: Shape['others'], sign: 1 | -1): void {
  for (const [name, amount] of others) {
    const used = (worker.used.get(name) ?? 0) + sign * amount
    // Sums of fractions drift.
    if (used > 1e-9) worker.used.set(name, used)
    else worker.used.delete(name)
  }
}

/** The task leaves the worker that it is on, if it is on one. Its status changes next. */
export function vacateSlot(state: State, task: Task): void {
  const { status } = task
  if (!isOnWorker(status)) return
  const worker = state.workers.get(status.workerId)
  if (status.kind === 'awaiting') {
    if (worker?.awaiting.delete(task)) forgetWait(state, task, worker)
    return
  }
  if (!worker?.tasks.delete(task)) return
  if (task.suspect) worker.suspects--
  if (status.behind.length > 0) follow(worker, -1, status.expectedMs)
  else if (status.expectedMs === undefined) worker.longTasks--
  else worker.shortMs -= status.expectedMs
  // Sums of fractions drift.
  if (occupantsOf(worker) === worker.longTasks) worker.shortMs = 0
  if (worker.tails.size > 0) {
    worker.tails.delete(task)
    state.extendable.add(worker)
  }
  if (task.spec.needs !== undefined) takeResources(worker, task, -1)
  if (worker.recalled.size > 0) worker.recalled.delete(task)
  updateRooms(state, worker)
}

function forgetWait(state: State, task: Task, worker: Worker): void {
  takeKept(worker, task, -1)
  worker.woken.delete(task)
  if (worker.woken.size === 0) state.waking.delete(worker)
  updateRooms(state, worker)
}

/** Whether a task with this status is on a worker, with or without a slot. */
export function isOnWorker(status: TaskStatus): status is Extract<TaskStatus, Placement> {
  return status.kind === 'assigned' || status.kind === 'running' || status.kind === 'awaiting'
}

/** The worker may have got room, or more or fewer tasks. */
export function updateRooms(state: State, worker: Worker): void {
  state.vacancies.update(worker)
  if (state.holderLines.size > 0) state.holderLines.noteRoom(worker)
  if (state.rooms.size === 0) return
  for (const rooms of state.rooms.values()) rooms.update(worker)
}

/** What the task's function is known by for run times. */
export function kindOf({ job, spec }: Task): string {
  const kind = job.kinds[spec.functionIndex]
  if (kind === undefined) throw new Error(`a task of job ${job.spec.jobId} calls no function`)
  return kind
}
