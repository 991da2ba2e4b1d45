import type { TaskFailure, WorkerId } from '#libs/domain'

import { assignTask, noInputs } from './assignment.js'
import { extendChains } from './chains.js'
import type { Out } from './effect.js'
import { type Demand, isPinned, isPlain, plainDemand } from './demand-class.js'
import { isBefore, type Lane, type LaneGroup } from './lane.js'
import { findObject, isScattered, objectIdOf } from './lookup.js'
import { startMsOf } from './moving.js'
import { failTask } from './outcome.js'
import { resumeWoken } from './awaiting.js'
import { rebalance } from './recall.js'
import { couldTake, fits, hasOthers, isAllowed, roomsOf } from './resources.js'
import { demandOfTask, expectedMsOf, hasRoom, isAhead, occupantsOf, takesTasks, updateRooms } from './slots.js'
import type { State, Task, Worker } from './state.js'
import { endsTooSoon, lastsLongerElsewhere } from './time-left.js'

/** How often a worker is sought that keeps its room for a task which needs more than a slot. */
const seekEveryMs = 100

/**
 * Sends queued tasks to workers with room: the highest priority first; of one priority the jobs take turns; what fits nowhere
 * now stands in the way of nobody.
 */
export function placeQueued(state: State, atMs: number, out: Out): void {
  resumeWoken(state, out)
  placeSuspects(state, atMs, out)
  let outranked = false
  for (const { groups } of [...state.queue.levels]) {
    if (placeLevel(state, [...groups], outranked, atMs, out)) outranked = true
  }
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
    lane.shift()
    state.queue.passTurn(lane)
    assignTask(state, task, worker, { expectedMs, behind: noInputs }, atMs, out)
    if (group.kept) endKeeping(state, group)
  }
  for (const group of waiting) group.bringBack()
  return isLeft
}

interface Choice {
  readonly inputs: InputSizes
  readonly leastLoaded: Worker
  readonly expectedMs: number | undefined
  readonly atMs: number
}

/** Where it can begin first; but not where the end comes before the task's, if that can be helped. */
function choosePlace(state: State, task: Task, demand: Demand, choice: Choice): Worker | undefined {
  const { inputs, leastLoaded, expectedMs, atMs } = choice
  const worker = chooseHolder(state, inputs, demand, { leastLoaded, expectedMs })
  if (!endsTooSoon(state, worker, task, atMs)) return worker
  const lasts = (each: Worker): boolean => hasRoomFor(each, demand, expectedMs) && !endsTooSoon(state, each, task, atMs)
  const longer = chooseWorker(state.workers.values(), inputs.heldBytes, lasts)
  return longer ?? (lastsLongerElsewhere(state, task, atMs) ? undefined : worker)
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

/** The worker with the fewest tasks per slot that may take such a task now. */
function findRoom(state: State, demand: Demand, expectedMs: number | undefined): Worker | undefined {
  if (!isPinned(demand)) return roomsOf(state, demand.shape).best(expectedMs)
  return chooseWorker(candidatesOf(state, demand), nothingHeld, (worker) => hasRoomFor(worker, demand, expectedMs))
}

/** Those that a pin lets take the task, and perhaps others. */
function candidatesOf({ workers }: State, demand: Demand): Iterable<Worker> {
  return demand.workers.length === 0 ? workers.values() : demand.workers.flatMap((id) => workers.get(id) ?? [])
}

function hasRoomFor(worker: Worker, demand: Demand, expectedMs: number | undefined): boolean {
  if (demand === plainDemand) return hasRoom(worker, expectedMs)
  if (!isAllowed(worker, demand)) return false
  return isPlain(demand.shape) ? hasRoom(worker, expectedMs) : fits(worker, demand.shape)
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

/**
 * Of the least loaded and those that hold inputs of the task and may take it, the one where it can begin first: bytes to move
 * against time in the queue. Of equals, the one that holds most, then the one with the fewest tasks per slot.
 */
function chooseHolder(
  { workers }: State,
  { heldBytes, byteLength }: InputSizes,
  demand: Demand,
  { leastLoaded, expectedMs }: Pick<Choice, 'leastLoaded' | 'expectedMs'>,
): Worker {
  if (heldBytes.size === 0) return leastLoaded
  const bytesAt = ({ profile }: Worker): number => heldBytes.get(profile.workerId) ?? 0
  let best = leastLoaded
  let bestMs = startMsOf(best, byteLength - bytesAt(best))
  for (const workerId of heldBytes.keys()) {
    const holder = workers.get(workerId)
    if (holder === undefined || holder === best || !hasRoomFor(holder, demand, expectedMs)) continue
    const ms = startMsOf(holder, byteLength - bytesAt(holder))
    const isEqual = ms === bestMs
    const isFuller = bytesAt(holder) > bytesAt(best)
    const isFreer = bytesAt(holder) === bytesAt(best) && loadOf(holder) < loadOf(best)
    if (ms < bestMs || (isEqual && (isFuller || isFreer))) {
      best = holder
      bestMs = ms
    }
  }
  return best
}

function loadOf(worker: Worker): number {
  return occupantsOf(worker) / worker.profile.slots
}

/** Of those that may take it the one where most of the task's inputs are, then the one with the fewest tasks per slot. */
function chooseWorker(
  candidates: Iterable<Worker>,
  heldBytes: ReadonlyMap<WorkerId, number>,
  mayTake: (worker: Worker) => boolean,
): Worker | undefined {
  let best: Worker | undefined
  let bestBytes = -1
  let bestLoad = Infinity
  for (const worker of candidates) {
    if (!mayTake(worker)) continue
    const bytes = heldBytes.get(worker.profile.workerId) ?? 0
    const load = loadOf(worker)
    if (bytes > bestBytes || (bytes === bestBytes && load < bestLoad)) {
      best = worker
      bestBytes = bytes
      bestLoad = load
    }
  }
  return best
}

interface InputSizes {
  /** Bytes that travel with the command: small inputs, and what large ones look like. */
  readonly inlineBytes: number
  /** Bytes that each holder has already. */
  readonly heldBytes: ReadonlyMap<WorkerId, number>
  /** Of all inputs that workers hold, together. */
  readonly byteLength: number
}

const nothingHeld: ReadonlyMap<WorkerId, number> = new Map()

function measureInputs(state: State, { spec }: Task): InputSizes {
  let inlineBytes = spec.input.byteLength
  if (spec.dependencies.length === 0) return { inlineBytes, heldBytes: nothingHeld, byteLength: 0 }
  const heldBytes = new Map<WorkerId, number>()
  let totalBytes = 0
  for (const objectId of new Set(spec.dependencies)) {
    const input = findObject(state, objectId)
    if (input === undefined) continue
    let byteLength: number
    if (isScattered(input)) {
      inlineBytes += input.descriptor.byteLength
      byteLength = input.byteLength
    } else {
      const { status } = input
      if (status.kind !== 'settled' || status.outcome.kind === 'failed') continue
      const { result } = status.outcome
      if (result.kind === 'inline') {
        inlineBytes += result.payload.byteLength
        continue
      }
      inlineBytes += result.descriptor.byteLength
      byteLength = result.byteLength
    }
    totalBytes += byteLength
    for (const workerId of input.holders ?? []) heldBytes.set(workerId, (heldBytes.get(workerId) ?? 0) + byteLength)
  }
  return { inlineBytes, heldBytes, byteLength: totalBytes }
}

function refuseLarge(state: State, task: Task, { inlineBytes }: InputSizes, atMs: number, out: Out): boolean {
  if (inlineBytes <= state.policy.maxInlineInputBytes) return false
  failTask(state, task, tooLarge(state, task, inlineBytes), atMs, out)
  return true
}

function tooLarge({ policy }: State, task: Task, inlineBytes: number): TaskFailure {
  const message =
    `the small inputs of task ${objectIdOf(task)} have ${inlineBytes} bytes together, at most ` +
    `${policy.maxInlineInputBytes} are sent to one task: combine them in stages`
  return { kind: 'input', reason: 'INPUTS_TOO_LARGE', message, attempts: task.attempt }
}
