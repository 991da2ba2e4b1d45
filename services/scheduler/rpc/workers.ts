import type { WorkerId } from '#libs/domain'
import { checkHello, type Hello, makeHello, type SchedulerServiceImplementation } from '#libs/proto'
import { pageOf, readRequestId, rpcError, sortedList } from '#libs/rpc'

import { demandOf } from '../core/demand.js'
import { viewOf } from '../core/requests.js'
import { createLevel } from '../effects/level.js'
import type { Peers } from '../effects/peers.js'
import type { Loop } from '../loop.js'
import { accept } from './refusal.js'
import { durationOf, workerToWire } from './to-wire.js'

type WorkerMethods = Pick<SchedulerServiceImplementation, 'listWorkers' | 'drainWorker' | 'watchDemand'>

/** The calls about workers and about how many of them are wanted. */
export function createWorkerMethods(loop: Loop, peers: Peers): WorkerMethods {
  const { state } = loop
  return {
    listWorkers: async (request) => {
      const byId = sortedList(state.workers.values(), ({ profile }) => profile.workerId)
      const { page, nextPageToken } = pageOf(byId, request)
      return { workers: page.map((worker) => workerToWire(viewOf(worker))), nextPageToken }
    },
    drainWorker: async ({ workerId: name, onlyIfIdle, requestId: given }) => {
      const requestId = readRequestId(given)
      const workerId = name as WorkerId
      const present = state.workers.get(workerId)
      const resource = { type: 'costate.worker', name }
      const answer = accept(await loop.ask({ kind: 'drainRequested', requestId, workerId, onlyIfIdle }), resource)
      const worker = answer.worker ?? (present && viewOf(present))
      if (worker === undefined) throw rpcError('NOT_FOUND', 'WORKER_NOT_FOUND', `worker ${name} is gone`, { resource })
      return { worker: workerToWire(worker) }
    },
    watchDemand: async function* ({ hello }, { signal }) {
      // Clients that only wait for workers say nothing of themselves.
      const mismatch = hello && checkHello(hello, 'the scheduler', 'who watches its demand')
      if (mismatch) throw rpcError('FAILED_PRECONDITION', 'PROTOCOL_MISMATCH', mismatch)
      const level = createLevel(demandOf(state))
      const stop = (): void => level.end()
      signal.addEventListener('abort', stop)
      peers.demandWatchers.add(level)
      try {
        let said: Hello | undefined = makeHello()
        for await (const demand of level) {
          const { measuredMs, ...level } = demand
          yield { ...level, measuredWork: durationOf(measuredMs), hello: said }
          said = undefined
        }
      } finally {
        peers.demandWatchers.delete(level)
        signal.removeEventListener('abort', stop)
      }
    },
  }
}
