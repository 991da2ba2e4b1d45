import { formatDuration } from '#libs/domain'

import { rootOf } from './counts.js'
import { type Demand, isPlain, plainDemand, type Shape } from './demand-class.js'
import { describeHolderWait } from './explain-holder.js'
import { couldTake, fits, isAllowed, offerOf } from './resources.js'
import { demandOfTask, expectedMsOf, hasRoom, occupantsOf } from './slots.js'
import type { State, Task, TaskStatus, Worker } from './state.js'
import { endsTooSoon } from './time-left.js'
import { describeLack, describePin, describeShape, isOffered } from './unschedulable.js'

type PlaceStatus = Extract<TaskStatus, { kind: 'queued' | 'assigned' | 'running' }>

/** Where a task is that waits for nothing but its turn: in the queue, or on a worker. */
export function describePlace(state: State, task: Task, status: PlaceStatus, atMs: number): string {
  if (status.kind === 'queued') return describeQueue(state, task, status.sinceMs, atMs)
  const worker = state.workers.get(status.workerId)
  const where = worker ? `${status.workerId} (${worker.profile.host})` : status.workerId
  const cut =
    worker?.unlinkedSinceMs === undefined
      ? ''
      : `; the link of that worker broke ${formatDuration(atMs - worker.unlinkedSinceMs)} ago`
  if (status.kind === 'running') {
    const lasted = formatDuration(Math.max(0, atMs - status.startedAtMs))
    const usual = state.meanRunMs.get(kindOf(task))
    const mean = usual === undefined ? '' : `; such tasks take ${formatDuration(usual)} on average`
    return `has run on ${where} for ${lasted} as attempt ${status.attempt}${mean}${cut}`
  }
  const ahead = worker ? [...worker.tasks].indexOf(task) : 0
  const back = worker?.recalled.has(task) ? '; it was asked back, because another worker is free' : ''
  const inputs = status.behind.length
  const behind = inputs > 0 ? ` and for ${countOf(inputs, 'input')} that ${inputs === 1 ? 'is' : 'are'} made there` : ''
  const turn = ahead > 0 ? `waits there for ${countOf(ahead, 'task')} before it${behind}` : 'has not begun there'
  return `was sent to ${where} ${formatDuration(atMs - status.sinceMs)} ago as attempt ${status.attempt} and ${turn}${back}${cut}`
}

function describeQueue(state: State, task: Task, sinceMs: number, atMs: number): string {
  const wait = describeHolderWait(state, task, atMs)
  if (wait !== undefined) return wait
  const demand = demandOfTask(task)
  const lane = [...rootOf(task.job).lanes.values()].find(({ group }) => group.demand.key === demand.key)
  const queued = task.suspect ? [...state.suspects.values()] : (lane?.values() ?? [])
  const position = 1 + queued.findIndex((entry) => entry.task === task)
  const queue = task.suspect
    ? 'queue of those that run alone, because they may have ended a worker'
    : 'queue of its job'
  const place = position > 0 ? `is number ${position} of ${queued.length} in the ${queue}` : `is in the ${queue}`
  const wants = describeDemand(demand)
  const waited = formatDuration(atMs - sinceMs)
  return `${place}${wants}, where it has waited ${waited}: ${describeRoom(state, task, demand, atMs)}`
}

/** What the task asks for beyond a slot anywhere. */
function describeDemand(demand: Demand): string {
  const pin = describePin(demand)
  const wants = [
    ...(isPlain(demand.shape) ? [] : [`for ${describeShape(demand)}`]),
    ...(pin === '' ? [] : [`for ${pin}`]),
    ...(demand.priority === 0 ? [] : [`with priority ${demand.priority}`]),
  ]
  return wants.length === 0 ? '' : ` ${wants.join(' ')}`
}

/** What none of the workers there can ever offer, and what becomes of the task then. */
function describeUnoffered(state: State, demand: Demand): string {
  const { unschedulableMs } = state.policy
  const end =
    unschedulableMs === 0 ? 'it waits for such a worker' : `it fails after ${formatDuration(unschedulableMs)} of that`
  return `it needs ${describeLack(state, demand)}; ${end}`
}

/** How others stand before the task that need the same or come before it. */
function describeTurn({ queue, counts }: State, task: Task): string {
  const others = counts.queued - task.job.counts.queued
  if (task.suspect || others <= 0) return ''
  const { priority } = demandOfTask(task)
  const higher = queue.levels.some((level) => level.priority > priority && level.groups.some((group) => group.first()))
  return higher
    ? '; tasks of a higher priority come first'
    : '; jobs of one priority take turns, the one with the fewest tasks on workers first'
}

/** Why no worker has taken the task yet. */
function describeRoom(state: State, task: Task, demand: Demand, atMs: number): string {
  if (state.workers.size === 0) return 'there is no worker'
  if (demand !== plainDemand && !isOffered(state, demand)) return describeUnoffered(state, demand)
  const workers = [...state.workers.values()].filter((worker) => isAllowed(worker, demand))
  const draining = workers.filter((worker) => worker.draining).length
  const cut = workers.filter(
    (worker) => !worker.draining && !worker.quarantine && worker.unlinkedSinceMs !== undefined,
  ).length
  const confined = workers.filter(({ draining, quarantine }) => !draining && quarantine !== undefined).length
  const paused = workers.filter(isOnlyPaused).length
  const alone = workers.filter((worker) => takes(worker) && isTakenWhole(worker)).length
  const away = [
    ...(alone > 0 ? [`${alone} ${alone === 1 ? 'is' : 'are'} kept for a task that runs alone`] : []),
    ...(draining > 0 ? [`${draining} ${draining === 1 ? 'drains' : 'drain'}`] : []),
    ...(confined > 0 ? [`${confined} ${confined === 1 ? 'is' : 'are'} in quarantine`] : []),
    ...(paused > 0 ? [`${paused} ${paused === 1 ? 'is' : 'are'} paused because memory is nearly full`] : []),
    ...(cut > 0 ? [`${cut} ${cut === 1 ? 'has' : 'have'} a broken link`] : []),
  ].join(' and ')
  const present = workers.filter((worker) => takes(worker) && !isTakenWhole(worker))
  if (present.length === 0) return `no worker takes tasks (${away})`
  const slots = sum(present, ({ profile }) => profile.slots)
  if (slots === 0) return 'the workers have no slots'
  const free = sum(present, (worker) => Math.max(0, worker.profile.slots - occupantsOf(worker)))
  const others = away === '' ? '' : `; of the others ${away}`
  const expectedMs = expectedMsOf(state, task)
  const busy = isPlain(demand.shape) ? '' : describeBusy(present, demand.shape)
  if (busy !== '') return `${busy}${others}${describeTurn(state, task)}`
  if (free === 0 && !present.some((worker) => hasRoom(worker, expectedMs))) {
    return `nobody has room, of ${countOf(slots, 'slot')} on ${countOf(present.length, 'worker')} none is free${others}${describeTurn(state, task)}`
  }
  const room = present.filter((worker) => hasRoom(worker, expectedMs))
  if (room.length > 0 && room.every((worker) => endsTooSoon(state, worker, task, atMs))) {
    return `the free workers end before it would: it waits for one that lasts longer${others}`
  }
  return `${free} of ${countOf(slots, 'slot')} ${free === 1 ? 'is' : 'are'} free, it is sent as soon as those before it are${others}`
}

/** What is taken by others on all workers that have it. */
function describeBusy(present: readonly Worker[], shape: Shape): string {
  const able = present.filter((worker) => couldTake(worker, shape))
  if (able.length === 0 || able.some((worker) => fits(worker, shape))) return ''
  const taken = shape.others.flatMap(([name, amount]) => {
    const free = Math.max(...able.map((worker) => offerOf(worker, name) - (worker.used.get(name) ?? 0)))
    return free < amount ? [`${name} (${free} free at most on one worker)`] : []
  })
  const of = countOf(able.length, 'worker')
  if (taken.length > 0) return `${taken.join(' and ')} is taken by others on ${of}`
  const kept = able.find(({ keptFor }) => keptFor === shape.key)
  const soon = kept ? `; ${kept.profile.workerId} takes no others until it has room for it` : ''
  return `none of ${of} has ${countOf(shape.slots, 'slot')} free beside all else that it needs${soon}`
}

function takes(worker: Worker): boolean {
  return isThere(worker) && !worker.pulse.isPaused
}

function isOnlyPaused(worker: Worker): boolean {
  return isThere(worker) && worker.pulse.isPaused
}

function isThere({ draining, quarantine, unlinkedSinceMs }: Worker): boolean {
  return !draining && quarantine === undefined && unlinkedSinceMs === undefined
}

/** A suspect runs alone: its worker gets no others meanwhile. */
function isTakenWhole({ reserved, suspects }: Worker): boolean {
  return reserved || suspects > 0
}

function kindOf({ job, spec }: Task): string {
  return job.kinds[spec.functionIndex] ?? ''
}

function sum(workers: readonly Worker[], of: (worker: Worker) => number): number {
  return workers.reduce((total, worker) => total + of(worker), 0)
}

function countOf(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}
