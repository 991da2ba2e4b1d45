import { formatDuration } from '#libs/domain'

import { expectedMsOf, hasRoom } from './slots.js'
import type { State, Task, TaskStatus, Worker } from './state.js'

type PlaceStatus = Extract<TaskStatus, { kind: 'queued' | 'assigned' | 'running' }>

/** Where a task is that waits for nothing but its turn: in the queue, or on a worker. */
export function describePlace(state: State, task: Task, status: PlaceStatus, atMs: number): string {
  if (status.kind === 'queued') return describeQueue(state, task, atMs - status.sinceMs)
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
  const turn = ahead > 0 ? `waits there for ${countOf(ahead, 'task')} before it` : 'has not begun there'
  return `was sent to ${where} ${formatDuration(atMs - status.sinceMs)} ago as attempt ${status.attempt} and ${turn}${cut}`
}

function describeQueue(state: State, task: Task, waitedMs: number): string {
  let position = 0
  let length = 0
  for (const { task: queued } of (task.suspect ? state.suspects : state.queue).values()) {
    length++
    if (queued === task) position = length
  }
  const queue = task.suspect ? 'queue of those that run alone, because they may have ended a worker' : 'queue'
  const place = position > 0 ? `is number ${position} of ${length} in the ${queue}` : `is in the ${queue}`
  return `${place}, where it has waited ${formatDuration(waitedMs)}: ${describeRoom(state, task)}`
}

/** Why no worker has taken the task yet. */
function describeRoom(state: State, task: Task): string {
  const workers = [...state.workers.values()]
  if (workers.length === 0) return 'there is no worker'
  const draining = workers.filter((worker) => worker.draining).length
  const cut = workers.filter(
    (worker) => !worker.draining && !worker.quarantine && worker.unlinkedSinceMs !== undefined,
  ).length
  const confined = workers.filter(({ draining, quarantine }) => !draining && quarantine !== undefined).length
  const alone = workers.filter((worker) => takes(worker) && isTakenWhole(worker)).length
  const away = [
    ...(alone > 0 ? [`${alone} ${alone === 1 ? 'is' : 'are'} kept for a task that runs alone`] : []),
    ...(draining > 0 ? [`${draining} ${draining === 1 ? 'drains' : 'drain'}`] : []),
    ...(confined > 0 ? [`${confined} ${confined === 1 ? 'is' : 'are'} in quarantine`] : []),
    ...(cut > 0 ? [`${cut} ${cut === 1 ? 'has' : 'have'} a broken link`] : []),
  ].join(' and ')
  const present = workers.filter((worker) => takes(worker) && !isTakenWhole(worker))
  if (present.length === 0) return `no worker takes tasks (${away})`
  const slots = sum(present, ({ profile }) => profile.slots)
  if (slots === 0) return 'the workers have no slots'
  const free = sum(present, ({ profile, tasks }) => Math.max(0, profile.slots - tasks.size))
  const others = away === '' ? '' : `; of the others ${away}`
  const expectedMs = expectedMsOf(state, task)
  if (free === 0 && !present.some((worker) => hasRoom(worker, expectedMs))) {
    return `nobody has room, of ${countOf(slots, 'slot')} on ${countOf(present.length, 'worker')} none is free${others}`
  }
  return `${free} of ${countOf(slots, 'slot')} ${free === 1 ? 'is' : 'are'} free, it is sent as soon as those before it are${others}`
}

function takes({ draining, quarantine, unlinkedSinceMs }: Worker): boolean {
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
