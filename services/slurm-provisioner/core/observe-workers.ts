import { type Allocation, type AllocationWorker, nodeOf } from './allocation.js'
import { forgetFailures } from './early-ends.js'
import type { Out } from './effect.js'
import { emit } from './emit.js'
import type { EventOf, ListedWorker } from './event.js'
import type { State } from './state.js'

/** Compares the workers that the scheduler has with the allocations: each worker says to which it belongs. */
export function hearWorkers(state: State, { workers, atMs }: EventOf<'workersListed'>, out: Out): void {
  state.workersAreCurrent = true
  state.foreignSlots = 0
  const byAllocation = new Map<string, ListedWorker[]>()
  for (const worker of workers) {
    const { allocationId } = worker
    if (allocationId === undefined || !state.allocations.has(allocationId)) {
      if (!worker.isDraining) state.foreignSlots += worker.slots
      continue
    }
    const own = byAllocation.get(allocationId)
    if (own) own.push(worker)
    else byAllocation.set(allocationId, [worker])
  }
  for (const allocation of state.allocations.values()) {
    hearWorkersOf(state, allocation, byAllocation.get(allocation.id) ?? [], atMs, out)
  }
}

/** What was told to drain is not counted on any more. */
export function hearDrain(state: State, { workerId, atMs }: EventOf<'workerDrains'>): void {
  for (const allocation of state.allocations.values()) {
    const { phase } = allocation
    if (phase.kind !== 'registered') continue
    if (!phase.workers.some((worker) => worker.workerId === workerId)) continue
    const workers = phase.workers.map((each) => (each.workerId === workerId ? { ...each, isDraining: true } : each))
    const isLeaving = workers.every(({ isDraining }) => isDraining)
    allocation.phase = isLeaving
      ? { kind: 'draining', node: phase.node, sinceMs: atMs, workers, reason: 'its workers drain' }
      : { ...phase, workers }
    return
  }
}

function hearWorkersOf(
  state: State,
  allocation: Allocation,
  listed: readonly ListedWorker[],
  atMs: number,
  out: Out,
): void {
  const newest = Math.max(allocation.restarts, ...listed.map(({ restarts }) => restarts))
  for (const { workerId, restarts, isDraining } of listed) {
    // SLURM took it for lost and started the job again, and it lives: a partition, or a node that came back.
    if (restarts >= newest || isDraining) continue
    out.effects.push({ kind: 'drainWorker', workerId, onlyIfIdle: false })
    const text = `worker ${workerId} is of an earlier run of allocation ${allocation.id}, which SLURM has requeued: it is drained`
    out.effects.push({ kind: 'tell', level: 'warn', text, pool: allocation.pool, allocation: allocation.id })
  }
  const workers = listed.filter(({ restarts }) => restarts === newest).map(toAllocationWorker)
  const { phase } = allocation
  if (workers.length > 0) return register(state, allocation, workers, newest, atMs, out)
  if (phase.kind === 'registered') {
    allocation.phase = { kind: 'running', node: phase.node, sinceMs: atMs }
  } else if (phase.kind === 'draining') {
    allocation.phase = { ...phase, workers: [] }
  }
}

function register(
  state: State,
  allocation: Allocation,
  workers: readonly AllocationWorker[],
  restarts: number,
  atMs: number,
  out: Out,
): void {
  const { key, index, pool, phase } = allocation
  // The worker knows of a restart before the queue was looked at.
  allocation.restarts = restarts
  if (!allocation.wasRegistered) emit(state, out, { kind: 'allocationRegistered', key, index })
  const node = nodeOf(allocation)
  if (phase.kind === 'draining') {
    allocation.phase = { ...phase, workers }
    return
  }
  if (workers.every(({ isDraining }) => isDraining)) {
    allocation.phase = { kind: 'draining', node, sinceMs: atMs, workers, reason: 'its workers drain' }
    return
  }
  if (phase.kind !== 'registered') forgetFailures(state, pool, node)
  const sinceMs = phase.kind === 'registered' ? phase.sinceMs : atMs
  allocation.phase = { kind: 'registered', node, sinceMs, workers }
}

function toAllocationWorker({
  workerId,
  slots,
  assignedTasks,
  heldObjects,
  isDraining,
}: ListedWorker): AllocationWorker {
  return { workerId, slots, assignedTasks, heldObjects, isDraining }
}
