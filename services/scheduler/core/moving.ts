import { queueMsOf } from './slots.js'
import type { Worker } from './state.js'

/** How fast a worker is taken to get inputs before it has measured it. */
const assumedBytesPerSecond = 2e8
/** What it costs to get any, beside the bytes; for less nobody moves them. */
const leastMoveMs = 5

/** How long the task should wait there until it can begin: for a slot, and for those of its inputs that are not there. */
export function startMsOf(worker: Worker, missingBytes: number): number {
  return queueMsOf(worker) + moveMsOf(worker, missingBytes)
}

/** They come while the task waits for a slot, but those that are moved are in the way of others. */
function moveMsOf({ pulse }: Worker, missingBytes: number): number {
  if (missingBytes <= 0) return 0
  return leastMoveMs + (1_000 * missingBytes) / (pulse.fetchBytesPerSecond || assumedBytesPerSecond)
}
