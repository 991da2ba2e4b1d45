import type {
  GetScriptRequest,
  GetScriptResponse,
  ListPoolsRequest,
  ListPoolsResponse,
  ProvisionerServiceDefinition,
  ProvisionerServiceImplementation,
} from '#libs/proto'
import { type MethodName, pageOf, type Role, rpcError, sortedList } from '#libs/rpc'

import type { State } from '../core/state.js'

const readers: readonly Role[] = ['client', 'admin', 'observer']

/** Who may call what; a method that is missing here is denied to everybody. */
export const provisionerRoles: Record<MethodName<typeof ProvisionerServiceDefinition>, readonly Role[]> = {
  listPools: readers,
  getScript: readers,
}

/** The service's methods over the state; `scriptOf` gives the script that starts this many workers of a pool. */
export function createProvisionerService(
  state: State,
  scriptOf: (pool: string, count: number) => string,
): ProvisionerServiceImplementation {
  return {
    listPools: async (request) => listPools(state, request),
    getScript: async (request) => getScript(state, request, scriptOf),
  }
}

function listPools(state: State, request: ListPoolsRequest): ListPoolsResponse {
  const byName = sortedList(state.pools, ({ limits }) => limits.name)
  const { page, nextPageToken } = pageOf(byName, request)
  return {
    pools: page.map(({ limits, desiredWorkers, presentWorkers }) => ({
      name: limits.name,
      desiredWorkers,
      minWorkers: limits.minWorkers,
      maxWorkers: limits.maxWorkers,
      missingWorkers: Math.max(0, desiredWorkers - presentWorkers),
    })),
    nextPageToken,
  }
}

function getScript(
  state: State,
  { pool: name }: GetScriptRequest,
  scriptOf: (pool: string, count: number) => string,
): GetScriptResponse {
  const pool = state.pools.find(({ limits }) => limits.name === name)
  if (pool === undefined) {
    const known = state.pools.map(({ limits }) => limits.name).join(', ')
    throw rpcError('NOT_FOUND', 'POOL_NOT_FOUND', `There is no pool '${name}'. The pools are: ${known}.`, {
      metadata: { pool: name, known },
      resource: { type: 'costate.pool', name },
    })
  }
  const missing = pool.desiredWorkers - pool.presentWorkers
  return { script: scriptOf(name, Math.max(1, missing)) }
}
