import { assignTask, noInputs } from './assignment.js'
import { choosePlace, findRoom } from './choosing.js'
import { rootOf } from './counts.js'
import { type Demand, isPinned, isPlain } from './demand-class.js'
import type { Out } from './effect.js'
import type { HolderWait } from './holder-lines.js'
import { type InputSizes, measureInputs } from './input-sizes.js'
import type { QueuedTask } from './lane.js'
import { moveMsFrom, moveMsOf } from './moving.js'
import { slotFreeMsOf } from './slot-free.js'
import { demandOfTask, expectedMsOf, hasRoom, kindOf, queueMsOf, takesTasks } from './slots.js'
import type { State, Worker } from './state.js'
import type { Level } from './task-queue.js'
import { endsTooSoon } from './time-left.js'

/** Bytes that come sooner are moved: what is known of slots is not finer. */
const leastMoveMs = 50
/** Of the holders of inputs so many are looked at. */
const mostHolders = 16
/** By so much more than twice what was expected may a slot come late. */
const graceMs = 100
/** How often those that wait are looked at, and how many of them where others could take them. */
const reviewEveryMs = 50
const mostReviewed = 64

/** What is known when a place was chosen for a task. */
export interface Circumstances {
  readonly inputs: InputSizes
  readonly demand: Demand
  readonly expectedMs: number | undefined
  readonly atMs: number
}

/**
 * Delay scheduling (Zaharia et al. 2010), by bytes and run times: a task whose inputs would come to the place that has room later than
 * a slot of their holder should be free waits for that slot, here and not on the holder, so that nothing need be asked back, and
 * beside the queue, so that nobody is behind it. It waits no longer than moving would have taken, whatever was expected. Says
 * whether it does.
 */
export function waitForHolder(
  state: State,
  entry: QueuedTask,
  place: Worker,
  { inputs, demand, expectedMs, atMs }: Circumstances,
): boolean {
  const { holderLines, workers, meanRunMs } = state
  const { heldBytes } = inputs
  if (heldBytes.size === 0 || !isPlain(demand.shape) || isPinned(demand)) return false
  const { task } = entry
  let best: { readonly holder: Worker; readonly freeMs: number; readonly moveMs: number } | undefined
  let bestMs = Infinity
  let looks = mostHolders
  for (const workerId of heldBytes.keys()) {
    if (looks-- === 0) break
    const holder = workers.get(workerId)
    if (holder === undefined || holder === place || hasRoom(holder, expectedMs)) continue
    const moveMs = moveMsFrom(holder, place, missingAt(inputs, place))
    if (moveMs < leastMoveMs || endsTooSoon(state, holder, task, atMs)) continue
    const freeMs = slotFreeMsOf(state, holder, holderLines.runMsOf(holder), atMs)
    // What the holder lacks itself is moved as well.
    const ms = freeMs + moveMsOf(holder, missingAt(inputs, holder))
    if (ms >= bestMs || ms >= queueMsOf(place) + moveMs) continue
    best = { holder, freeMs, moveMs }
    bestMs = ms
  }
  if (best === undefined) return false
  const { holder, freeMs, moveMs } = best
  holderLines.add(holder, {
    ...entry,
    priority: demand.priority,
    heldBytes: heldBytes.get(holder.profile.workerId) ?? 0,
    moveMs,
    runMs: meanRunMs.get(kindOf(task)),
    untilMs: atMs + Math.min(moveMs, graceMs + 2 * freeMs),
  })
  return true
}

function missingAt({ byteLength, heldBytes }: InputSizes, { profile }: Worker): number {
  return byteLength - (heldBytes.get(profile.workerId) ?? 0)
}

/**
 * Sends those who waited to their holders that have room: before a level of the queue is placed all of higher priorities, and of its own
 * those who are no worse off than others whose turn it is. Without a level, all.
 */
export function serveHolderWaits(state: State, level: Level | undefined, atMs: number, out: Out): void {
  const { holderLines } = state
  if (holderLines.size === 0) return
  for (const worker of holderLines.freed()) {
    for (let wait = holderLines.first(worker); wait !== undefined; wait = holderLines.first(worker)) {
      const { task } = wait
      const expectedMs = expectedMsOf(state, task)
      if (!hasRoom(worker, expectedMs) || (level && isOutranked(wait, level))) break
      assignTask(state, task, worker, { expectedMs, behind: noInputs }, atMs, out)
    }
  }
  if (level === undefined) holderLines.endRound()
}

/** Whether others in the queue come first: those of a higher priority, or of a job with fewer tasks on workers. */
function isOutranked({ task, priority }: HolderWait, level: Level): boolean {
  if (level.priority !== priority) return level.priority > priority
  const root = rootOf(task.job)
  return level.groups.some((group) => {
    const lane = group.first()
    return lane !== undefined && lane.job !== root && lane.job.onWorkers < root.onWorkers
  })
}

/** Those go elsewhere who waited long enough, or who would now begin sooner there. Whose holder is away is in the queue again. */
export function reviewHolderWaits(state: State, atMs: number, out: Out): void {
  const { holderLines, workers, queue } = state
  if (holderLines.size === 0 || atMs < holderLines.reviewedAtMs + reviewEveryMs) return
  holderLines.reviewedAtMs = atMs
  const isThere = (worker: Worker): boolean => workers.get(worker.profile.workerId) === worker && takesTasks(worker)
  for (const { task, status } of holderLines.sweep(isThere)) queue.push({ task, status })
  let looks = mostReviewed
  for (const [holder, waits] of holderLines.lines()) {
    let aheadMs = 0
    for (const wait of waits) {
      if (atMs >= wait.untilMs || looks-- > 0) {
        const place = findElsewhere(state, wait, holder, aheadMs, atMs)
        if (place) {
          const { task } = wait
          assignTask(state, task, place, { expectedMs: expectedMsOf(state, task), behind: noInputs }, atMs, out)
          continue
        }
      }
      aheadMs += wait.runMs ?? Infinity
    }
  }
}

/** Where there is room for a task that waits: anywhere once it waited long enough, before that only where it begins sooner. */
function findElsewhere(
  state: State,
  { task, untilMs }: HolderWait,
  holder: Worker,
  aheadMs: number,
  atMs: number,
): Worker | undefined {
  const demand = demandOfTask(task)
  const expectedMs = expectedMsOf(state, task)
  const leastLoaded = findRoom(state, demand, expectedMs)
  if (leastLoaded === undefined) return undefined
  const inputs = measureInputs(state, task)
  const place = choosePlace(state, task, demand, { inputs, leastLoaded, expectedMs, atMs })
  if (place === undefined || atMs >= untilMs) return place
  // It is served in its turn.
  if (place === holder) return undefined
  const thereMs = slotFreeMsOf(state, holder, aheadMs, atMs) + moveMsOf(holder, missingAt(inputs, holder))
  return queueMsOf(place) + moveMsFrom(holder, place, missingAt(inputs, place)) < thereMs ? place : undefined
}
