import type { JobTimes } from './job-times.js'

/** How far the clock of each worker is ahead of the scheduler's, in milliseconds; 0 where nothing speaks against that. */
export type ClockOffsets = ReadonlyMap<string, number>

interface Bounds {
  least: number
  most: number
}

/**
 * What the order of events says: a task begins after it was sent and is settled after it ended, whatever the clocks show. Of all
 * offsets that no task contradicts the one nearest to zero is taken: clocks that agree are left alone.
 */
export function findClockOffsets(jobs: readonly JobTimes[]): ClockOffsets {
  const bounds = new Map<string, Bounds>()
  for (const { tasks } of jobs) {
    for (const { workerId, sentAtMs, startedAtMs, endedAtMs, settledAtMs } of tasks) {
      if (workerId === '' || startedAtMs === 0) continue
      const known = bounds.get(workerId) ?? { least: -Infinity, most: Infinity }
      bounds.set(workerId, known)
      if (sentAtMs > 0) known.most = Math.min(known.most, startedAtMs - sentAtMs)
      if (settledAtMs > 0 && endedAtMs > 0) known.least = Math.max(known.least, endedAtMs - settledAtMs)
    }
  }
  return new Map([...bounds].map(([workerId, { least, most }]) => [workerId, nearestToZero(least, most)]))
}

function nearestToZero(least: number, most: number): number {
  // A clock that was set meanwhile leaves nothing that fits all: the middle is as good as any.
  if (least > most) return (least + most) / 2
  return Math.min(Math.max(0, least), most)
}
