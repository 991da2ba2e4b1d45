import type { WorkerId } from '#libs/domain'
import type { SchedulerServiceImplementation, WatchDemandResponse } from '#libs/proto'
import { rpcError } from '#libs/rpc'
import { Outbox } from '#libs/transfer'

import { demandOf } from '../core/demand.js'
import type { Peers } from '../effects/peers.js'
import type { Loop } from '../loop.js'
import { pageOf, sortedList } from './page.js'
import { accept } from './refusal.js'
import { requestIdToDomain } from './to-domain.js'
import { workerToWire } from './to-wire.js'

type WorkerMethods = Pick<SchedulerServiceImplementation, 'listWorkers' | 'drainWorker' | 'watchDemand'>

/** The calls about workers and about how many of them are wanted. */
export function createWorkerMethods(loop: Loop, peers: Peers): WorkerMethods {
  const { state } = loop
  return {
    listWorkers: async (request) => {
      const byId = sortedList(state.workers.values(), ({ profile }) => profile.workerId)
      const { page, nextPageToken } = pageOf(byId, request)
      return { workers: page.map(workerToWire), nextPageToken }
    },
    drainWorker: async ({ workerId, onlyIfIdle, requestId }) => {
      requestIdToDomain(requestId)
      const worker = state.workers.get(workerId as WorkerId)
      accept(await loop.ask({ kind: 'drainRequested', workerId: workerId as WorkerId, onlyIfIdle }))
      if (worker === undefined) throw rpcError('NOT_FOUND', 'WORKER_NOT_FOUND', `worker ${workerId} is gone`)
      return { worker: workerToWire(worker) }
    },
    watchDemand: async function* (_request, { signal }) {
      const outbox = new Outbox<WatchDemandResponse>()
      const stop = (): void => outbox.end()
      signal.addEventListener('abort', stop)
      peers.demandWatchers.add(outbox)
      outbox.push(demandOf(state))
      try {
        yield* outbox
      } finally {
        peers.demandWatchers.delete(outbox)
        signal.removeEventListener('abort', stop)
      }
    },
  }
}
