import type {
  GetScriptRequest,
  GetScriptResponse,
  ListPoolsRequest,
  ListPoolsResponse,
  ProvisionerServiceDefinition,
  ProvisionerServiceImplementation,
} from '#libs/proto'
import { type MethodName, type Role, rpcError } from '#libs/rpc'

import type { State } from '../core/state.js'

const readers: readonly Role[] = ['client', 'admin', 'observer']

/** Who may call what; a method that is missing here is denied to everybody. */
export const provisionerRoles: Record<MethodName<typeof ProvisionerServiceDefinition>, readonly Role[]> = {
  listPools: readers,
  getScript: readers,
}

const defaultPageSize = 100
const maxPageSize = 1_000

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

function listPools(state: State, { pageSize, pageToken }: ListPoolsRequest): ListPoolsResponse {
  const limit = Math.min(pageSize || defaultPageSize, maxPageSize)
  const after = Buffer.from(pageToken, 'base64url').toString()
  const rest = state.pools
    .filter(({ limits }) => limits.name > after)
    .sort((one, other) => (one.limits.name < other.limits.name ? -1 : 1))
  const page = rest.slice(0, limit)
  return {
    pools: page.map(({ limits, desiredWorkers, presentWorkers }) => ({
      name: limits.name,
      desiredWorkers,
      minWorkers: limits.minWorkers,
      maxWorkers: limits.maxWorkers,
      missingWorkers: Math.max(0, desiredWorkers - presentWorkers),
    })),
    nextPageToken: rest.length > limit ? Buffer.from(page.at(-1)?.limits.name ?? '').toString('base64url') : '',
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
    })
  }
  const missing = pool.desiredWorkers - pool.presentWorkers
  return { script: scriptOf(name, Math.max(1, missing)) }
}
