import type { Out } from './effect.js'
import { findObject } from './lookup.js'
import { functionOf, type State, type Task, type Worker } from './state.js'
import { peekQueued, setStatus } from './status.js'

/** How much work of a short kind is sent ahead to a slot, so that it never waits for the next command. */
const aheadMs = 20
/** The most tasks that are sent ahead to a slot. */
const maxAhead = 256
/** Smoothing of the measured run times: the weight of the newest. */
const newestWeight = 0.2

/** Learns how long tasks of this kind run. */
export function learnRunTime(state: State, task: Task, runMs: number): void {
  const key = kindOf(task)
  const known = state.meanRunMs.get(key)
  state.meanRunMs.set(key, known === undefined ? runMs : known + newestWeight * (runMs - known))
}

/** Sends queued tasks to workers with room, first in, first out, until either runs out. */
export function placeQueued(state: State, atMs: number, out: Out): void {
  for (let task = peekQueued(state); task !== undefined; task = peekQueued(state)) {
    const worker = chooseWorker(state, task)
    if (worker === undefined) return
    state.queue.shift()
    const attempt = task.attempt + 1
    task.attempt = attempt
    const { workerId } = worker.profile
    setStatus(task, { kind: 'assigned', workerId, attempt, sinceMs: atMs })
    worker.tasks.add(task)
    out.effects.push({ kind: 'runTask', workerId, task, attempt, epoch: state.epoch })
  }
}

/** Where the task's inputs are, when there is room; else the worker with the fewest tasks per slot. */
function chooseWorker(state: State, task: Task): Worker | undefined {
  const ahead = aheadOf(state.meanRunMs.get(kindOf(task)))
  let best: Worker | undefined
  let bestBytes = -1
  let bestLoad = Infinity
  for (const worker of state.workers.values()) {
    const { slots } = worker.profile
    if (worker.draining || worker.unlinkedSinceMs !== undefined || worker.tasks.size >= slots * (1 + ahead)) continue
    const bytes = task.spec.dependencies.length > 0 ? heldBytes(state, task, worker) : 0
    const load = worker.tasks.size / slots
    if (bytes > bestBytes || (bytes === bestBytes && load < bestLoad)) {
      best = worker
      bestBytes = bytes
      bestLoad = load
    }
  }
  return best
}

/** Late binding: what is sent ahead follows the measured run time; nothing is sent ahead of a long or unknown kind. */
function aheadOf(meanRunMs: number | undefined): number {
  if (meanRunMs === undefined || meanRunMs > aheadMs) return 0
  return Math.min(maxAhead, Math.floor(aheadMs / Math.max(meanRunMs, 0.01)))
}

function heldBytes(state: State, task: Task, worker: Worker): number {
  let bytes = 0
  for (const objectId of task.spec.dependencies) {
    if (!worker.objects.has(objectId)) continue
    const entity = findObject(state, objectId)
    if (entity === undefined) continue
    if ('objectId' in entity) bytes += entity.byteLength
    else if (entity.status.kind === 'settled' && entity.status.outcome.kind === 'finished') {
      const { result } = entity.status.outcome
      bytes += result.kind === 'object' ? result.byteLength : 0
    }
  }
  return bytes
}

function kindOf(task: Task): string {
  const { bundleDigest, taskName } = functionOf(task)
  return `${bundleDigest}/${taskName}`
}
