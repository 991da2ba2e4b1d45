import { randomUUID } from 'node:crypto'

import type { MeshConnection } from './mesh-connection.js'
import type { Scaler } from './mesh-cluster.js'
import type { ServiceProcess } from './service-process.js'

/** What the scaler needs to know of the cluster. */
export interface LocalWorkers {
  /** Starts so many workers more. */
  start(count: number): void
  /** Every process of the cluster. */
  readonly processes: readonly ServiceProcess[]
  /** Gives the cluster's folder back. */
  cleanUp(): Promise<void>
}

/** How long demand must stay lower before workers are let go. */
const shrinkAfterMs = 2_000
const stopGraceMs = 5_000

/** Keeps the number of workers of a local cluster. */
export function createLocalScaler(connection: MeshConnection, workers: LocalWorkers, initialCount: number): Scaler {
  let wanted = initialCount
  let adapting: AbortController | undefined
  let closed = false

  async function scaleTo(count: number): Promise<void> {
    if (count > wanted) workers.start(count - wanted)
    const surplus = Math.max(0, wanted - count)
    wanted = count
    if (surplus > 0) wanted = count + surplus - (await letGo(surplus))
  }

  /** Lets idle workers go that hold no result; says how many there were. */
  async function letGo(count: number): Promise<number> {
    const { workers: present } = await connection.scheduler.listWorkers({ pageSize: 1_000 })
    let gone = 0
    for (const { workerId, assignedTasks, heldObjects } of present) {
      if (gone === count) break
      if (assignedTasks > 0 || heldObjects > 0) continue
      try {
        await connection.scheduler.drainWorker({ workerId, onlyIfIdle: true, requestId: randomUUID() })
        gone++
      } catch {
        // It got work in the meantime: it stays.
      }
    }
    return gone
  }

  async function follow(
    bounds: { readonly minimum: number; readonly maximum: number },
    signal: AbortSignal,
  ): Promise<void> {
    let shrink: NodeJS.Timeout | undefined
    const clamp = (count: number): number => Math.min(bounds.maximum, Math.max(bounds.minimum, count))
    await scaleTo(clamp(wanted))
    for await (const demand of connection.scheduler.watchDemand({}, { signal })) {
      const perWorker = Math.max(1, Math.round(demand.presentSlots / Math.max(1, demand.presentWorkers)))
      const target = clamp(Math.ceil(demand.wantedSlots / perWorker))
      clearTimeout(shrink)
      if (target > wanted) await scaleTo(target)
      // Hysteresis: a pause between two jobs does not stop workers.
      else if (target < wanted) shrink = setTimeout(() => void scaleTo(target).catch(() => undefined), shrinkAfterMs)
      shrink?.unref()
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
      // Ends with the connection or with the next scale().
      follow(bounds, adapting.signal).catch(() => undefined)
    },
    close: async () => {
      if (closed) return
      closed = true
      adapting?.abort()
      await Promise.all(workers.processes.map((service) => service.stop(stopGraceMs)))
      await workers.cleanUp()
    },
  }
}
