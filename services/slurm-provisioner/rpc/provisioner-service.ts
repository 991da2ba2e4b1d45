import type {
  Allocation as WireAllocation,
  ListAllocationsRequest,
  ListPoolsRequest,
  ListPoolsResponse,
  Pool as WirePool,
  ProvisionerServiceDefinition,
  ProvisionerServiceImplementation,
} from '#libs/proto'
import { type MethodName, pageOf, type Role, rpcError, sortedList } from '#libs/rpc'

import type { Pool } from '../core/pool.js'
import { allocationsOf, excludedNodes, type State } from '../core/state.js'
import type { UntimedEvent } from '../loop.js'
import type { TrialResult } from '../slurm/sbatch.js'
import { allocationToWire, endedToWire, poolToWire } from './to-wire.js'

const readers: readonly Role[] = ['client', 'admin', 'observer']
const writers: readonly Role[] = ['client', 'admin']

/** Who may call what; a method that is missing here is denied to everybody. */
export const provisionerRoles: Record<MethodName<typeof ProvisionerServiceDefinition>, readonly Role[]> = {
  listPools: readers,
  getScript: readers,
  listAllocations: readers,
  verifySubmit: readers,
  scalePool: writers,
  drainPool: writers,
  pausePool: writers,
  resumePool: writers,
}

/** What the service's methods need. */
export interface ServicePorts {
  readonly state: State
  readonly nowMs: () => number
  /** Resolves once what the event changed is remembered. */
  readonly settle: (event: UntimedEvent) => Promise<void>
  /** The script that would be submitted for so many allocations of a pool. */
  readonly scriptOf: (pool: string, count: number) => string
  readonly verifySubmit: (pool: string) => Promise<TrialResult>
  /** Reads the pools file again if it has changed: who edits it and then asks for something means the new one. */
  readonly refreshPools: () => Promise<void>
  /** What is wrong with the pools file as it is now. */
  readonly poolsFileProblem: () => string | undefined
}

const mostWorkers = 10_000
const longestReason = 1_024

/** The service's methods over the state. */
export function createProvisionerService(ports: ServicePorts): ProvisionerServiceImplementation {
  const { state, nowMs, settle, scriptOf, verifySubmit } = ports
  const answer = (name: string): { pool: WirePool } => ({ pool: poolToWire(state, findPool(state, name), nowMs()) })
  return {
    listPools: async (request) => listPools(ports, request),
    getScript: async ({ pool: name }) => {
      const pool = findPool(state, name)
      const { limits, desiredWorkers } = pool
      const missing = Math.ceil(desiredWorkers / limits.workersPerAllocation) - allocationsOf(state, name).length
      return { script: scriptOf(requireListed(pool), Math.max(1, missing)) }
    },
    listAllocations: async (request) => listAllocations(ports, request),
    verifySubmit: async ({ pool }) => verifySubmit(requireListed(findPool(state, pool))),
    scalePool: async ({ pool, workers }) => {
      await ports.refreshPools()
      requireListed(findPool(state, pool))
      if (workers !== undefined && workers > mostWorkers) {
        throw invalid('BAD_WORKERS', `workers is ${workers}: at most ${mostWorkers}`, 'workers')
      }
      const scale = workers === undefined ? ({ kind: 'adaptive' } as const) : ({ kind: 'fixed', workers } as const)
      await settle({ kind: 'poolScaled', pool, scale })
      return answer(pool)
    },
    drainPool: async ({ pool, allocationIds }) => {
      findPool(state, pool)
      if (allocationIds.length === 0) {
        await settle({ kind: 'poolScaled', pool, scale: { kind: 'draining' } })
        return answer(pool)
      }
      for (const id of allocationIds) {
        if (state.allocations.get(id)?.pool === pool) continue
        const known = allocationsOf(state, pool).map((each) => each.id)
        const message = `There is no allocation '${id}' in pool ${pool}. Its allocations are: ${known.join(', ') || 'none'}.`
        throw rpcError('NOT_FOUND', 'ALLOCATION_NOT_FOUND', message, {
          resource: { type: 'costate.allocation', name: id },
        })
      }
      await settle({ kind: 'drainRequested', allocationIds })
      return answer(pool)
    },
    pausePool: async ({ pool, reason }) => {
      findPool(state, pool)
      if (reason.length > longestReason)
        throw invalid('BAD_REASON', `reason has more than ${longestReason} characters`, 'reason')
      await settle({ kind: 'poolPaused', pool, reason: reason || 'somebody asked for it' })
      return answer(pool)
    },
    resumePool: async ({ pool }) => {
      findPool(state, pool)
      await settle({ kind: 'poolResumed', pool })
      return answer(pool)
    },
  }
}

function listPools({ state, nowMs, poolsFileProblem }: ServicePorts, request: ListPoolsRequest): ListPoolsResponse {
  const byName = sortedList(state.pools.values(), ({ limits }) => limits.name)
  const { page, nextPageToken } = pageOf(byName, request)
  const { queue } = state
  return {
    pools: page.map((pool) => poolToWire(state, pool, nowMs())),
    nextPageToken,
    poolsFileProblem: poolsFileProblem() ?? '',
    queueProblem: queue.lastError ?? (queue.seenAtMs === undefined ? 'it was not looked at yet' : ''),
    excludedNodes: excludedNodes(state),
  }
}

function listAllocations(
  { state, nowMs }: ServicePorts,
  request: ListAllocationsRequest,
): { allocations: WireAllocation[]; nextPageToken: string } {
  if (request.pool !== '') findPool(state, request.pool)
  const isWanted = ({ pool }: { readonly pool: string }): boolean => request.pool === '' || pool === request.pool
  const live = [...state.allocations.values()]
    .filter(isWanted)
    .map((each) => ({ key: `0 ${each.id}`, allocation: allocationToWire(each, nowMs()) }))
  const ended = request.onlyLive
    ? []
    : state.history
        .filter(({ allocation }) => isWanted(allocation))
        .map((each) => ({ key: `1 ${newestFirst(each.number)}`, allocation: endedToWire(each) }))
  const { page, nextPageToken } = pageOf(
    sortedList([...live, ...ended], ({ key }) => key),
    request,
  )
  return { allocations: page.map(({ allocation }) => allocation), nextPageToken }
}

/** A key that is the smaller the later the number comes. */
function newestFirst(number: number): string {
  return String(1e12 - number).padStart(12, '0')
}

function findPool(state: State, name: string): Pool {
  const pool = state.pools.get(name)
  if (pool !== undefined) return pool
  const known = [...state.pools.keys()].join(', ')
  throw rpcError('NOT_FOUND', 'POOL_NOT_FOUND', `There is no pool '${name}'. The pools are: ${known}.`, {
    metadata: { pool: name, known },
    resource: { type: 'costate.pool', name },
  })
}

/** The name of a pool that the pools file has. */
function requireListed({ limits, isRemoved }: Pool): string {
  if (!isRemoved) return limits.name
  const message = `Pool '${limits.name}' is not in the pools file any more: put it back first.`
  throw rpcError('FAILED_PRECONDITION', 'POOL_REMOVED', message, {
    resource: { type: 'costate.pool', name: limits.name },
  })
}

function invalid(reason: string, message: string, field: string): Error {
  return rpcError('INVALID_ARGUMENT', reason, message, { fieldViolations: [{ field, description: message }] })
}
