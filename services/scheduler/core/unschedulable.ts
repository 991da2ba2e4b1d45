import { formatDuration, type TaskFailure } from '#libs/domain'

import type { Demand } from './demand-class.js'
import type { Out } from './effect.js'
import type { EventOf } from './event.js'
import { objectIdOf } from './lookup.js'
import { failTask } from './outcome.js'
import { couldTakeBeside, isAllowed, keptOf, offerOf } from './resources.js'
import { demandOfTask } from './slots.js'
import type { State, Task, Worker } from './state.js'

/** Whether one of the workers that are not about to leave could ever take such a task. */
export function isOffered({ workers }: State, demand: Demand): boolean {
  for (const worker of workers.values()) {
    if (!worker.draining && isAllowed(worker, demand) && couldTakeBeside(worker, demand.shape)) return true
  }
  return false
}

/**
 * Tasks fail that wait too long for what none of the workers there can ever offer. With no worker at all nobody can tell: a
 * mesh that grows with its work may be about to start one.
 */
export function expireUnschedulable(state: State, { atMs }: EventOf<'timePassed'>, out: Out): void {
  const { unschedulableMs } = state.policy
  if (unschedulableMs === 0) return
  for (const group of [...state.queue.groups()]) {
    const { demand } = group
    if (isOffered(state, demand)) group.lackingSinceMs = undefined
    else if (isStaffed(state)) group.lackingSinceMs ??= atMs
    if (group.lackingSinceMs === undefined || atMs - group.lackingSinceMs < unschedulableMs) continue
    const entries = group.lanes.values().flatMap((lane) => lane.values())
    for (const { task } of entries) expire(state, task, demand, atMs, out)
  }
  for (const { task } of state.suspects.values()) {
    const demand = demandOfTask(task)
    if (isStaffed(state) && !isOffered(state, demand)) expire(state, task, demand, atMs, out)
  }
}

/** Whether somebody is there who takes tasks and does not leave. */
export function isStaffed({ workers }: State): boolean {
  for (const { draining, profile } of workers.values()) if (!draining && profile.slots > 0) return true
  return false
}

function expire(state: State, task: Task, demand: Demand, atMs: number, out: Out): void {
  const { status } = task
  const { unschedulableMs } = state.policy
  if (status.kind !== 'queued' || atMs - status.sinceMs < unschedulableMs) return
  const waited = formatDuration(atMs - status.sinceMs)
  const message = `task ${objectIdOf(task)} waited ${waited} for ${describeLack(state, demand)}: start a worker that offers it, or ask for less`
  const failure: TaskFailure = { kind: 'timeout', reason: 'UNSCHEDULABLE', message, attempts: task.attempt }
  failTask(state, task, failure, atMs, out)
}

/** What the workers lack: the pin that none answers to, or the resources that none of the others has enough of. */
export function describeLack({ workers }: State, demand: Demand): string {
  const present = [...workers.values()].filter(({ draining }) => !draining)
  const allowed = present.filter((worker) => isAllowed(worker, demand))
  if (allowed.length === 0) return `${describePin(demand) || 'a worker'}, which is not there`
  const { slots, others } = demand.shape
  const lacks = [
    ...lackOf(allowed, 'cpu', slots, ({ profile }) => profile.slots),
    ...others.flatMap(([name, amount]) => lackOf(allowed, name, amount, (worker) => offerOf(worker, name))),
  ]
  const where = describePin(demand)
  const kept = others.find(([name]) => allowed.some((worker) => keptOf(worker, name) > 0))
  if (lacks.length === 0 && kept) {
    return `${kept[0]} ${kept[1]}, of which tasks that wait for others keep too much${where && ` on ${where}`}`
  }
  if (lacks.length > 0) return `${lacks.join(' and ')}${where && ` on ${where}`}`
  return `${describeShape(demand)} together, which no single worker offers`
}

function lackOf(workers: Worker[], name: string, amount: number, offer: (worker: Worker) => number): string[] {
  const most = workers.reduce((best, worker) => Math.max(best, offer(worker)), 0)
  if (most >= amount) return []
  return [`${name} ${amount}, of which ${most === 0 ? 'no worker offers any' : `a worker offers ${most} at most`}`]
}

export function describePin({ workers, host }: Demand): string {
  const named = workers.length === 0 ? '' : `worker ${workers.join(' or ')}`
  return [named, host && `a worker on host ${host}`].filter((text) => text !== '').join(' that is ')
}

export function describeShape({ shape }: Demand): string {
  return [['cpu', shape.slots] as const, ...shape.others].map(([name, amount]) => `${name} ${amount}`).join(', ')
}
