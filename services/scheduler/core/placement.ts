import { assignTask, noInputs } from './assignment.js'
import { extendChains } from './chains.js'
import { candidatesOf, choosePlace, chooseWorker, findRoom } from './choosing.js'
import type { Out } from './effect.js'
import { isPlain, plainDemand } from './demand-class.js'
import { reviewHolderWaits, serveHolderWaits, waitForHolder } from './holder-waits.js'
import { measureInputs, nothingHeld, refuseLarge } from './input-sizes.js'
import { isBefore, type Lane, type LaneGroup, type QueuedTask } from './lane.js'
import { resumeWoken } from './awaiting.js'
import { rebalance } from './recall.js'
import { couldTake, hasOthers, isAllowed } from './resources.js'
import { demandOfTask, expectedMsOf, isAhead, takesTasks, updateRooms } from './slots.js'
import type { State, Task, Worker } from './state.js'

/** How often a worker is sought that keeps its room for a task which needs more than a slot. */
const seekEveryMs = 100

/**
 * Sends queued tasks to workers with room: the highest priority first; of one priority the jobs take turns; what fits nowhere
 * now stands in the way of nobody.
 */
export function placeQueued(state: State, atMs: number, out: Out): void {
  resumeWoken(state, out)
  placeSuspects(state, atMs, out)
  reviewHolderWaits(state, atMs, out)
  let outranked = false
  for (const level of [...state.queue.levels]) {
    serveHolderWaits(state, level, atMs, out)
    if (placeLevel(state, [...level.groups], outranked, atMs, out)) outranked = true
  }
  serveHolderWaits(state, undefined, atMs, out)
  extendChains(state, atMs, out)
  rebalance(state, atMs, out)
}

/** Places tasks of one priority; says whether some are left. */
function placeLevel(state: State, open: LaneGroup[], outranked: boolean, atMs: number, out: Out): boolean {
  let isLeft = false
  const waiting = new Set<LaneGroup>()
  for (let lane = nextLane(state, open); lane !== undefined; lane = nextLane(state, open)) {
    const { group } = lane
    const task = lane.peek()?.task as Task
    const expectedMs = expectedMsOf(state, task)
    const leastLoaded = findRoom(state, group.demand, expectedMs)
    if (leastLoaded === undefined || (isAhead(leastLoaded) && !isPlenty(state))) {
      open.splice(open.indexOf(group), 1)
      isLeft = true
      if (!outranked) keepRoom(state, group, atMs)
      continue
    }
    const inputs = measureInputs(state, task)
    if (refuseLarge(state, task, inputs, atMs, out)) continue
    const worker = choosePlace(state, task, group.demand, { inputs, leastLoaded, expectedMs, atMs })
    if (worker === undefined) {
      // Where it would last to its end others run now: the room of one that ends before is for tasks of others.
      group.setAside(lane)
      waiting.add(group)
      isLeft = true
      continue
    }
    const entry = lane.shift() as QueuedTask
    state.queue.passTurn(lane)
    if (waitForHolder(state, entry, worker, { inputs, demand: group.demand, expectedMs, atMs })) {
      isLeft = true
      continue
    }
    assignTask(state, task, worker, { expectedMs, behind: noInputs }, atMs, out)
    if (group.kept) endKeeping(state, group)
  }
  for (const group of waiting) group.bringBack()
  return isLeft
}

/**
 * Whether more waits than was sent: then work can go far ahead, and still come out even in the end (guided self-scheduling,
 * Polychronopoulos and Kuck 1987).
 */
function isPlenty({ counts }: State): boolean {
  return counts.queued > counts.running
}

/** The lane whose turn it is among groups that may find room; groups without tasks are forgotten. */
function nextLane(state: State, open: LaneGroup[]): Lane | undefined {
  let best: Lane | undefined
  for (let at = open.length - 1; at >= 0; at--) {
    const group = open[at] as LaneGroup
    const lane = group.first()
    if (lane === undefined) {
      open.splice(at, 1)
      if (group.hasAside) continue
      endKeeping(state, group)
      if (group.demand !== plainDemand) forgetGroup(state, group)
    } else if (best === undefined || isBefore(lane, best)) best = lane
  }
  return best
}

function forgetGroup({ queue, rooms }: State, group: LaneGroup): void {
  queue.drop(group)
  const { key } = group.demand.shape
  for (const { demand } of queue.groups()) if (demand.shape.key === key) return
  rooms.delete(key)
}

/**
 * Tasks of one slot would take each slot that comes free, and a task that needs several, or one beside its device, would wait
 * for ever: where all else that it needs is free, one worker takes no others until it has room for it.
 */
function keepRoom(state: State, group: LaneGroup, atMs: number): void {
  const { demand, kept } = group
  const { shape } = demand
  if (isPlain(shape)) return
  const mayKeep = (worker: Worker): boolean =>
    takesTasks(worker) && isAllowed(worker, demand) && couldTake(worker, shape) && hasOthers(worker, shape)
  if (kept) {
    if (state.workers.get(kept.profile.workerId) === kept && mayKeep(kept)) return
    endKeeping(state, group)
  }
  if (atMs - group.soughtAtMs < seekEveryMs) return
  group.soughtAtMs = atMs
  const isFree = (worker: Worker): boolean => !worker.reserved && worker.suspects === 0 && worker.keptFor === undefined
  const worker = chooseWorker(candidatesOf(state, demand), nothingHeld, (each) => isFree(each) && mayKeep(each))
  if (worker === undefined) return
  group.kept = worker
  worker.keptFor = shape.key
  updateRooms(state, worker)
}

function endKeeping(state: State, group: LaneGroup): void {
  const { kept } = group
  if (kept === undefined) return
  group.kept = undefined
  kept.keptFor = undefined
  if (state.workers.get(kept.profile.workerId) === kept) updateRooms(state, kept)
}

/**
 * Suspects go to workers that have nothing else. While some wait, one worker gets nothing else, so that they have their turn.
 * One that none of the workers can take keeps no others waiting.
 */
function placeSuspects(state: State, atMs: number, out: Out): void {
  if (state.suspects.peek() === undefined) return endReservation(state)
  for (const { task } of state.suspects.values()) {
    const inputs = measureInputs(state, task)
    if (refuseLarge(state, task, inputs, atMs, out)) continue
    const demand = demandOfTask(task)
    const mayTake = (candidate: Worker): boolean =>
      takesTasks(candidate) && isAllowed(candidate, demand) && couldTake(candidate, demand.shape)
    // What waits there for tasks that it submitted keeps some of what the worker has.
    const isFree = (each: Worker): boolean => isEmpty(each) && mayTake(each) && hasOthers(each, demand.shape)
    const worker = chooseWorker(state.workers.values(), inputs.heldBytes, isFree)
    if (worker !== undefined) {
      assignTask(state, task, worker, { expectedMs: expectedMsOf(state, task), behind: noInputs }, atMs, out)
    } else if (reserveWorker(state, mayTake)) return
  }
  endReservation(state)
}

/** Nothing runs there, and nothing that waits there wants to go on. */
function isEmpty({ tasks, woken }: Worker): boolean {
  return tasks.size === 0 && woken.size === 0
}

/** The worker that is free first, as far as that can be told; once chosen it stays that one. False when there is none. */
function reserveWorker(state: State, mayTake: (worker: Worker) => boolean): boolean {
  const { reserved, workers } = state
  if (reserved && mayTake(reserved) && workers.get(reserved.profile.workerId) === reserved) return true
  endReservation(state)
  let best: Worker | undefined
  for (const worker of workers.values()) {
    if (mayTake(worker) && (best === undefined || worker.tasks.size < best.tasks.size)) best = worker
  }
  if (best === undefined) return false
  best.reserved = true
  state.reserved = best
  updateRooms(state, best)
  return true
}

function endReservation(state: State): void {
  const { reserved } = state
  if (reserved === undefined) return
  reserved.reserved = false
  state.reserved = undefined
  if (state.workers.get(reserved.profile.workerId) === reserved) updateRooms(state, reserved)
}
