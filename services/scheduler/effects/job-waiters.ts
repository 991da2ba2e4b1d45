import type { JobId } from '#libs/domain'

/** Calls that wait for a job to settle. */
export interface JobWaiters {
  /** Resolves when the job's state changed, or when the signal aborts. */
  wait(jobId: JobId, signal: AbortSignal): Promise<void>
  wake(jobId: JobId): void
}

export function createJobWaiters(): JobWaiters {
  const waiting = new Map<JobId, Set<() => void>>()
  return {
    wait: (jobId, signal) =>
      new Promise((resolve) => {
        const waiters = waiting.get(jobId) ?? new Set()
        waiting.set(jobId, waiters)
        const done = (): void => {
          signal.removeEventListener('abort', done)
          waiters.delete(done)
          if (waiters.size === 0) waiting.delete(jobId)
          resolve()
        }
        waiters.add(done)
        signal.addEventListener('abort', done)
        if (signal.aborted) done()
      }),
    wake: (jobId) => {
      for (const done of [...(waiting.get(jobId) ?? [])]) done()
    },
  }
}
