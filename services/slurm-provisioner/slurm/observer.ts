import type { Clock } from '#libs/lifecycle'

import type { ListedWorker } from '../core/event.js'
import type { UntimedEvent } from '../loop.js'
import type { RunCommand } from './command.js'
import { lookAtQueue } from './squeue.js'

/** What is looked at in every interval, and whom that is told. */
export interface ObserverPorts {
  readonly run: RunCommand
  readonly userId: number
  readonly mesh: string
  readonly listWorkers: () => Promise<readonly ListedWorker[]>
  readonly post: (event: UntimedEvent) => void
  /** What else is due in every interval, before the look. */
  readonly beforeLook: () => Promise<void>
  readonly clock: Clock
  readonly intervalMs: number
  readonly onFatal: (error: unknown) => void
}

export interface Observer {
  /** Looks now, and goes on in the usual rhythm. */
  lookNow(): Promise<void>
  stop(): void
}

/** A queue that could not be seen is looked at less and less often, up to so many intervals apart. */
const longestPause = 6

/** Looks at SLURM's queue and the scheduler's workers in every interval: one squeue for all jobs, one call for all workers. */
export function startObserver(ports: ObserverPorts): Observer {
  const { run, userId, mesh, listWorkers, post, beforeLook, clock, intervalMs, onFatal } = ports
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  let failures = 0
  let looking: Promise<void> | undefined

  async function look(): Promise<void> {
    await beforeLook()
    const askedAtMs = clock.nowMs()
    const workers = listWorkers().then(
      (list) => post({ kind: 'workersListed', workers: list }),
      () => post({ kind: 'workersUnknown' }),
    )
    const queue = await lookAtQueue(run, userId, mesh)
    // Workers first: a job that just started is then told from one whose worker is missing.
    await workers
    if (queue.kind === 'listed') {
      failures = 0
      post({ kind: 'jobsListed', askedAtMs, isComplete: queue.isComplete, jobs: queue.jobs })
    } else {
      failures++
      post({ kind: 'jobsUnknown', message: queue.message })
    }
  }

  function lookNow(): Promise<void> {
    clearTimeout(timer)
    looking ??= look()
      .catch(onFatal)
      .finally(() => {
        looking = undefined
        if (stopped) return
        const pauses = failures === 0 ? 1 : Math.min(longestPause, 2 ** (failures - 1))
        timer = setTimeout(() => void lookNow(), pauses * intervalMs)
      })
    return looking
  }

  void lookNow()
  return {
    lookNow,
    stop: () => {
      stopped = true
      clearTimeout(timer)
    },
  }
}
