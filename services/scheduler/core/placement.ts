import type { TaskFailure, WorkerId } from '#libs/domain'

import type { Out } from './effect.js'
import { findObject, isScattered, objectIdOf } from './lookup.js'
import { failTask } from './outcome.js'
import { expectedMsOf, hasRoom, occupySlot, takesTasks } from './slots.js'
import type { State, Task, Worker } from './state.js'
import { setStatus } from './status.js'

/** Sends queued tasks to workers with room, first in, first out, until either runs out. */
export function placeQueued(state: State, atMs: number, out: Out): void {
  placeSuspects(state, atMs, out)
  for (let task = state.queue.peek()?.task; task !== undefined; task = state.queue.peek()?.task) {
    const expectedMs = expectedMsOf(state, task)
    const leastLoaded = state.vacancies.best(expectedMs)
    if (leastLoaded === undefined) return
    const inputs = measureInputs(state, task)
    if (refuseLarge(state, task, inputs, atMs, out)) continue
    const holders = holdersOf(state, inputs.heldBytes)
    const worker = chooseWorker(holders, inputs.heldBytes, (holder) => hasRoom(holder, expectedMs)) ?? leastLoaded
    state.queue.shift()
    placeTask(state, task, worker, expectedMs, atMs, out)
  }
}

/** Suspects go to workers that have nothing else. While some wait, one worker gets nothing else, so that they have their turn. */
function placeSuspects(state: State, atMs: number, out: Out): void {
  for (let task = state.suspects.peek()?.task; task !== undefined; task = state.suspects.peek()?.task) {
    const inputs = measureInputs(state, task)
    if (refuseLarge(state, task, inputs, atMs, out)) continue
    const worker = chooseWorker(
      state.workers.values(),
      inputs.heldBytes,
      (candidate) => takesTasks(candidate) && !candidate.tasks.size,
    )
    if (worker === undefined) return reserveWorker(state)
    state.suspects.shift()
    placeTask(state, task, worker, expectedMsOf(state, task), atMs, out)
  }
  endReservation(state)
}

/** The worker that is free first, as far as that can be told; once chosen it stays that one. */
function reserveWorker(state: State): void {
  const { reserved, workers } = state
  if (reserved && takesTasks(reserved) && workers.get(reserved.profile.workerId) === reserved) return
  endReservation(state)
  let best: Worker | undefined
  for (const worker of workers.values()) {
    if (takesTasks(worker) && (best === undefined || worker.tasks.size < best.tasks.size)) best = worker
  }
  if (best === undefined) return
  best.reserved = true
  state.reserved = best
  state.vacancies.update(best)
}

function endReservation(state: State): void {
  const { reserved } = state
  if (reserved === undefined) return
  reserved.reserved = false
  state.reserved = undefined
  if (state.workers.get(reserved.profile.workerId) === reserved) state.vacancies.update(reserved)
}

function placeTask(
  state: State,
  task: Task,
  worker: Worker,
  expectedMs: number | undefined,
  atMs: number,
  out: Out,
): void {
  const { epoch } = state
  const { workerId } = worker.profile
  const attempt = ++task.attempt
  task.adoptable = false
  setStatus(task, { kind: 'assigned', workerId, epoch, attempt, expectedMs, sinceMs: atMs })
  occupySlot(worker, task, expectedMs)
  state.vacancies.update(worker)
  out.effects.push({ kind: 'runTask', workerId, task, attempt, epoch })
}

function holdersOf({ workers }: State, heldBytes: ReadonlyMap<WorkerId, number>): Worker[] {
  return [...heldBytes.keys()].flatMap((workerId) => workers.get(workerId) ?? [])
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
    const { workerId, slots } = worker.profile
    const bytes = heldBytes.get(workerId) ?? 0
    const load = worker.tasks.size / slots
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
}

const nothingHeld: ReadonlyMap<WorkerId, number> = new Map()

function measureInputs(state: State, { spec }: Task): InputSizes {
  let inlineBytes = spec.input.byteLength
  if (spec.dependencies.length === 0) return { inlineBytes, heldBytes: nothingHeld }
  const heldBytes = new Map<WorkerId, number>()
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
    for (const workerId of input.holders ?? []) heldBytes.set(workerId, (heldBytes.get(workerId) ?? 0) + byteLength)
  }
  return { inlineBytes, heldBytes }
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
