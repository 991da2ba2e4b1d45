import { randomUUID } from 'node:crypto'

import { type SchedulerServiceDefinition, WorkerState } from '#libs/proto'
import type { RpcClient } from '#libs/rpc'

import type { Scaler } from './mesh-cluster.js'

/** What the scaler asks of the scheduler. */
export type WorkerRegistry = Pick<
  RpcClient<typeof SchedulerServiceDefinition>,
  'listWorkers' | 'drainWorker' | 'watchDemand'
>

/** What the scaler needs to know of the cluster. */
export interface LocalWorkers {
  /** How many were started with the cluster. */
  readonly initialCount: number
  readonly slotsPerWorker: number
  /** Starts so many workers more. */
  start(count: number): void
  /** How many were started in the batches of which some still run. */
  capacity(): number
  isRunning(pid: number): boolean
  describeTroubles(): Promise<string>
  /** Ends what the cluster is made of. */
  end(): Promise<void>
}

/** How long demand must stay lower before workers are let go. */
const shrinkAfterMs = 2_000
/** How soon workers that could not be let go are looked at again: nothing announces that one is idle. */
const retryMs = 500

/** Keeps the number of workers of a local cluster. */
export function createLocalScaler(scheduler: WorkerRegistry, workers: LocalWorkers): Scaler {
  let goal = workers.initialCount
  let startedCount = workers.initialCount
  /** Workers that leave or have left: none of them is counted or told twice. */
  const leaving = new Set<string>()
  let line: Promise<unknown> = Promise.resolve()
  let retry: NodeJS.Timeout | undefined
  let adapting: AbortController | undefined
  let closed = false

  /** One after the other: each sees what the one before has done. */
  function scaleTo(count: number): Promise<void> {
    goal = count
    const scaled = line.then(() => approach())
    line = scaled.catch(() => undefined)
    return scaled
  }

  /** Starts or lets go what lies between the goal and the workers that are there or on their way. */
  async function approach(): Promise<void> {
    clearTimeout(retry)
    if (closed) return
    const { workers: listed } = await scheduler.listWorkers({ pageSize: 1_000 })
    for (const { workerId, state } of listed) if (state === WorkerState.DRAINING) leaving.add(workerId)
    // Workers that left without this program's doing.
    startedCount = Math.min(startedCount, leaving.size + workers.capacity())
    // Those that are there, and those on their way: for the first time, or again after a crash.
    const kept = startedCount - leaving.size
    if (goal > kept) {
      startedCount += goal - kept
      workers.start(goal - kept)
    }
    let surplus = kept - goal
    // Those first that have little to hand over.
    for (const { workerId, pid, assignedTasks } of listed.sort((a, b) => a.heldObjects - b.heldObjects)) {
      if (surplus <= 0) break
      if (leaving.has(workerId) || assignedTasks > 0) continue
      // The scheduler waits a while for one that has crashed.
      if (workers.isRunning(pid) && (await letGo(workerId))) surplus--
    }
    // The others follow when they are idle.
    if (surplus > 0) retry = setTimeout(() => void scaleTo(goal).catch(() => undefined), retryMs).unref()
  }

  async function letGo(workerId: string): Promise<boolean> {
    try {
      await scheduler.drainWorker({ workerId, onlyIfIdle: true, requestId: randomUUID() })
      leaving.add(workerId)
      return true
    } catch {
      // It got work in the meantime: it stays.
      return false
    }
  }

  async function follow(bounds: Bounds, signal: AbortSignal): Promise<void> {
    const window = createShrinkWindow((target) => void scaleTo(target).catch(() => undefined))
    signal.addEventListener('abort', () => window.close())
    const clamp = (count: number): number => Math.min(bounds.maximum, Math.max(bounds.minimum, count))
    await scaleTo(clamp(goal))
    for await (const demand of scheduler.watchDemand({}, { signal })) {
      const target = clamp(Math.ceil(demand.wantedSlots / workers.slotsPerWorker))
      window.see(target, goal)
      if (target > goal) await scaleTo(target)
    }
  }

  /** The scheduler may be away for a while: adapting goes on until it is told to stop. */
  async function keepFollowing(bounds: Bounds, signal: AbortSignal): Promise<void> {
    // A function, because the signal changes while the loop waits.
    const isOver = (): boolean => signal.aborted
    while (!isOver()) {
      await follow(bounds, signal).catch(() => undefined)
      if (!isOver()) await new Promise<void>((resolve) => setTimeout(resolve, retryMs).unref())
    }
  }

  return {
    scale: async (count) => {
      adapting?.abort()
      adapting = undefined
      await scaleTo(count)
    },
    adapt: (bounds) => {
      adapting?.abort()
      adapting = new AbortController()
      void keepFollowing(bounds, adapting.signal)
    },
    describeTroubles: () => workers.describeTroubles(),
    close: async () => {
      if (closed) return
      closed = true
      adapting?.abort()
      clearTimeout(retry)
      await workers.end()
    },
  }
}

interface Bounds {
  readonly minimum: number
  readonly maximum: number
}

/** Hysteresis: a pause between two jobs stops no workers; only what was wanted at no moment for a while is let go. */
function createShrinkWindow(shrinkTo: (target: number) => void) {
  let timer: NodeJS.Timeout | undefined
  let highest = 0
  let latest = 0
  const open = (): void => {
    highest = latest
    timer = setTimeout(() => {
      timer = undefined
      const target = highest
      if (latest < target) open()
      shrinkTo(target)
    }, shrinkAfterMs).unref()
  }
  const close = (): void => {
    clearTimeout(timer)
    timer = undefined
  }
  return {
    see: (target: number, goal: number): void => {
      latest = target
      highest = Math.max(highest, target)
      if (target >= goal) close()
      else if (timer === undefined) open()
    },
    close,
  }
}
