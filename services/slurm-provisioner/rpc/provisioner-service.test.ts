import { expect, test } from 'vitest'

import { readRpcFailure, type RpcCallContext } from '#libs/rpc'

import { createState } from '../core/state.js'
import { createProvisionerService } from './provisioner-service.js'

const context = {} as RpcCallContext
const state = createState(
  ['gpu', 'cpu', 'big'].map((name) => ({ name, minWorkers: 1, maxWorkers: 4, slotsPerWorker: 2, idleTimeoutMs: 0 })),
)
const service = createProvisionerService(state, (pool, count) => `script of ${pool} for ${count}`)

test('pools are listed by name with what is desired and missing', async () => {
  state.pools[1]!.desiredWorkers = 3
  state.pools[1]!.presentWorkers = 2
  const { pools, nextPageToken } = await service.listPools({ pageSize: 0, pageToken: '' }, context)
  expect(pools?.map((pool) => pool.name)).toEqual(['big', 'cpu', 'gpu'])
  expect(pools?.[1]).toEqual({ name: 'cpu', desiredWorkers: 3, minWorkers: 1, maxWorkers: 4, missingWorkers: 1 })
  expect(nextPageToken).toBe('')
})

test('pages follow each other without a gap', async () => {
  const names: (string | undefined)[] = []
  let pageToken = ''
  do {
    const answer = await service.listPools({ pageSize: 1, pageToken }, context)
    names.push(...(answer.pools ?? []).map((pool) => pool.name))
    pageToken = answer.nextPageToken ?? ''
  } while (pageToken !== '')
  expect(names).toEqual(['big', 'cpu', 'gpu'])
})

test.each(['guessed', Buffer.from('cpu').toString('base64url')])('the page token %s is refused', async (pageToken) => {
  const failure = await Promise.resolve(service.listPools({ pageSize: 0, pageToken }, context)).catch(readRpcFailure)
  expect(failure).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'BAD_PAGE_TOKEN' })
})

test('the script of a pool is for the workers that are missing, or for one', async () => {
  expect(await service.getScript({ pool: 'cpu' }, context)).toEqual({ script: 'script of cpu for 1' })
  state.pools[0]!.desiredWorkers = 4
  expect(await service.getScript({ pool: 'gpu' }, context)).toEqual({ script: 'script of gpu for 4' })
})

test('an unknown pool is NOT_FOUND and names the known ones', async () => {
  const failure = await Promise.resolve(service.getScript({ pool: 'tpu' }, context)).catch(readRpcFailure)
  expect(failure).toMatchObject({
    code: 'NOT_FOUND',
    reason: 'POOL_NOT_FOUND',
    message: "There is no pool 'tpu'. The pools are: gpu, cpu, big.",
    metadata: { pool: 'tpu', known: 'gpu, cpu, big' },
  })
})
