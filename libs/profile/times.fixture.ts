import type { JobTimes, TaskTimes, WorkerFacts } from './job-times.js'

/** A task that was ready, sent and begun at the submit, and ran for 100 ms; what is given counts. */
export function taskTimes(index: number, given: Partial<TaskTimes> = {}): TaskTimes {
  const { startedAtMs = given.sentAtMs ?? 1_000 } = given
  const { endedAtMs = startedAtMs + 100 } = given
  const when = { firstReadyAtMs: 1_000, readyAtMs: 1_000, sentAtMs: startedAtMs, settledAtMs: endedAtMs }
  return {
    ...{ index, name: `task ${index}`, stage: 'finished', attempt: 1, workerId: 'w1', slot: 0 },
    ...{ ...when, startedAtMs, endedAtMs, fetchMs: 0, parkedMs: 0, inputBytes: 0, resultBytes: 8 },
    ...{ inputs: [], childJobIds: [], ...given },
  }
}

/** A job that was submitted at 1,000 ms and settled with its last task. */
export function jobTimes(tasks: readonly TaskTimes[], given: Partial<JobTimes> = {}): JobTimes {
  const settledAtMs = Math.max(...tasks.map((task) => task.settledAtMs))
  return { jobId: 'j', name: 'study', submittedAtMs: 1_000, settledAtMs, tasks, ...given }
}

export function workerFacts(id: string, slots = 1): WorkerFacts {
  return { id, host: 'host', slots, rssBytes: 80e6, peakRssBytes: 90e6, heldBytes: 0, spilledBytes: 0 }
}
