import { queueMsOf } from './slots.js'
import type { Worker } from './state.js'

/** How fast a worker is taken to get inputs before it has measured it. */
const assumedBytesPerSecond = 2e8
/** The same within a host, through shared memory. */
const assumedHostBytesPerSecond = 2e9
/** What it costs to get any, beside the bytes; for less nobody moves them. */
const leastMoveMs = 5

/** How long the task should wait there until it can begin: for a slot, and for those of its inputs that are not there. */
export function startMsOf(worker: Worker, missingBytes: number): number {
  return queueMsOf(worker) + moveMsOf(worker, missingBytes)
}

/**
 * How long that much takes to come there: the bytes come while the task waits for a slot, but those that are moved are in the
 * way of others.
 */
export function moveMsOf({ pulse }: Worker, missingBytes: number, assumed = assumedBytesPerSecond): number {
  if (missingBytes <= 0) return 0
  return leastMoveMs + (1_000 * missingBytes) / (pulse.fetchBytesPerSecond || assumed)
}

/** The same of bytes that the holder has. */
export function moveMsFrom(holder: Worker, worker: Worker, missingBytes: number): number {
  const isNear = holder.profile.host === worker.profile.host
  return moveMsOf(worker, missingBytes, isNear ? assumedHostBytesPerSecond : assumedBytesPerSecond)
}
