import { type Demand as TaskDemand, isPinned, isPlain, plainDemand } from './demand-class.js'
import type { LaneGroup } from './lane.js'
import { couldTake, isAllowed, offerOf } from './resources.js'
import { kindOf, occupantsOf } from './slots.js'
import type { Job, State, Worker } from './state.js'
import { isStaffed } from './unschedulable.js'

/** How many slots the scheduler wants now, and how many there are: a level, never a command. */
export interface Demand {
  /** What is queued or runs would keep so many busy, or unusable for others. */
  readonly wantedSlots: number
  /** The same of queued tasks that no worker like those there could take; they are not among the wanted ones. */
  readonly unofferedSlots: number
  /** Of the wanted slots those of queued tasks that are of a kind whose run time is known, */
  readonly measuredSlots: number
  /** and for how long they would keep one slot busy. */
  readonly measuredMs: number
  /** Of workers that take tasks. */
  readonly presentSlots: number
  readonly presentWorkers: number
}

export function demandOf(state: State): Demand {
  const { counts, workers, queue } = state
  let presentSlots = 0
  let presentWorkers = 0
  let wantedSlots = 0
  let unofferedSlots = 0
  for (const worker of workers.values()) {
    const { draining, quarantine, profile } = worker
    // What runs where somebody leaves ends there, and is nobody else's.
    if (draining || profile.slots === 0) continue
    wantedSlots += busySlotsOf(worker)
    if (quarantine !== undefined) continue
    presentSlots += profile.slots
    presentWorkers++
  }
  /** Tasks that ask for one slot anywhere, and suspects. */
  let plainTasks = counts.queued
  const measured = createMeasure(state)
  for (const group of queue.groups()) {
    const { demand } = group
    if (!isPinned(demand)) measured.add(group)
    if (isPlain(demand.shape) && !isPinned(demand)) continue
    const tasks = tasksOf(group)
    plainTasks -= tasks
    const slotsEach = slotsOfTask(state, demand)
    const slots = tasks * (slotsEach ?? demand.shape.slots)
    // More workers are no help to tasks that wait for this one.
    if (demand.workers.length > 0) wantedSlots += Math.min(slots, pinnedSlots(state, demand))
    else if (slotsEach !== undefined || !isStaffed(state)) wantedSlots += slots
    else unofferedSlots += slots
  }
  const { slots: measuredSlots, totalMs: measuredMs } = measured.sum()
  return {
    ...{ wantedSlots: Math.ceil(wantedSlots + plainTasks), unofferedSlots, measuredSlots, measuredMs },
    ...{ presentSlots, presentWorkers },
  }
}

/** So many jobs are looked at; what others have queued is taken for work of unknown length. */
const mostMeasuredLanes = 64

/** Adds up how long queued tasks would run: each job's by the kind of its first, for most have one. */
function createMeasure({ meanRunMs }: State) {
  let lanesLeft = mostMeasuredLanes
  let slots = 0
  let totalMs = 0
  return {
    add: ({ demand, lanes }: LaneGroup): void => {
      for (const lane of lanes.values()) {
        if (lanesLeft-- <= 0) return
        const first = lane.peek()?.task
        const meanMs = first && meanRunMs.get(kindOf(first))
        if (meanMs === undefined) continue
        const tasks = demand === plainDemand ? plainTasksOf(lane.job) : lane.job.queuedByDemand.get(demand.key)
        const busy = (tasks ?? 0) * demand.shape.slots
        slots += busy
        totalMs += busy * meanMs
      }
    },
    sum: () => ({ slots, totalMs: Math.round(totalMs) }),
  }
}

/** Of a job's own queued tasks those without needs; what tasks of it have submitted is not counted. */
function plainTasksOf({ counts, queuedByDemand }: Job): number {
  let tasks = counts.queued
  for (const withNeeds of queuedByDemand.values()) tasks -= withNeeds
  return Math.max(0, tasks)
}

function tasksOf({ demand, lanes }: LaneGroup): number {
  let tasks = 0
  for (const { job } of lanes.values()) tasks += job.queuedByDemand.get(demand.key) ?? 0
  return tasks
}

/** How many of its slots a worker has no more for others: those that are taken, or more when another resource is scarcer. */
function busySlotsOf(worker: Worker): number {
  const { extraSlots, used, profile } = worker
  let busy = occupantsOf(worker) + extraSlots
  for (const [name, amount] of used) busy = Math.max(busy, (amount / offerOf(worker, name)) * profile.slots)
  return busy
}

/** The same of one task, by the first worker that could take it; nothing when none could. */
function slotsOfTask({ workers }: State, demand: TaskDemand): number | undefined {
  const { shape } = demand
  for (const worker of workers.values()) {
    if (worker.draining || !isAllowed(worker, demand) || !couldTake(worker, shape)) continue
    const { slots } = worker.profile
    return shape.others.reduce(
      (most, [name, amount]) => Math.max(most, (amount / offerOf(worker, name)) * slots),
      shape.slots,
    )
  }
  return undefined
}

function pinnedSlots({ workers }: State, { workers: pins }: TaskDemand): number {
  let slots = 0
  for (const workerId of pins) {
    const worker = workers.get(workerId)
    if (worker && !worker.draining) slots += worker.profile.slots
  }
  return slots
}
