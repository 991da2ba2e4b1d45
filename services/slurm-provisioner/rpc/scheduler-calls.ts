import { readAddress } from '#libs/lifecycle'
import { SchedulerServiceDefinition, type Worker, WorkerState } from '#libs/proto'
import {
  closeRpcChannel,
  createRpcChannel,
  createRpcClient,
  readRpcFailure,
  rpcError,
  type RpcClient,
  type Security,
} from '#libs/rpc'

import type { ListedWorker } from '../core/event.js'
import type { SchedulerPlace } from './demand-stream.js'

/** What is asked of the scheduler beside its demand. */
export interface SchedulerCalls {
  readonly listWorkers: () => Promise<ListedWorker[]>
  /** False when it does not drain: it has work, is gone, or the scheduler cannot be reached. */
  readonly drainWorker: (workerId: string, onlyIfIdle: boolean) => Promise<boolean>
  close(): void
}

const deadlineMs = 10_000
const pageSize = 1_000

/** Calls to the scheduler, wherever it listens now. */
export function createSchedulerCalls(
  { meshDir, schedulerAddress }: SchedulerPlace,
  security: Security,
): SchedulerCalls {
  const find = async (): Promise<readonly string[]> => {
    const known = await readAddress(meshDir, 'scheduler')
    if (known) return known.addresses
    throw rpcError('UNAVAILABLE', 'SCHEDULER_UNKNOWN', 'the mesh folder names no scheduler yet')
  }
  const channel = createRpcChannel(schedulerAddress ?? find, { security, serverRole: 'scheduler', kind: 'control' })
  const scheduler = createRpcClient(SchedulerServiceDefinition, channel)
  return {
    listWorkers: () => listAll(scheduler),
    drainWorker: async (workerId, onlyIfIdle) => {
      try {
        await scheduler.drainWorker({ workerId, onlyIfIdle, requestId: '' }, { deadline: deadlineMs })
        return true
      } catch (error) {
        readRpcFailure(error)
        return false
      }
    },
    close: () => closeRpcChannel(channel),
  }
}

async function listAll(scheduler: RpcClient<typeof SchedulerServiceDefinition>): Promise<ListedWorker[]> {
  const workers: ListedWorker[] = []
  let pageToken = ''
  do {
    const page = await scheduler.listWorkers({ pageSize, pageToken }, { deadline: deadlineMs })
    workers.push(...page.workers.map(workerToDomain))
    pageToken = page.nextPageToken
  } while (pageToken !== '')
  return workers
}

export function workerToDomain({ workerId, allocation, slots, state, ...load }: Worker): ListedWorker {
  return {
    workerId,
    allocationId: allocation?.allocationId,
    restarts: allocation?.restarts ?? 0,
    slots,
    // What waits without a slot for tasks that it submitted is work as well.
    assignedTasks: load.assignedTasks + load.waitingTasks,
    heldObjects: load.heldObjects,
    isDraining: state === WorkerState.DRAINING,
  }
}
