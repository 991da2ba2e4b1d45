import { expect, test } from 'vitest'

import { AllocationState, PoolCondition } from '#libs/proto'
import { readRpcFailure, type RpcCallContext } from '#libs/rpc'

import { cpu, runningCluster, TestCluster } from '../core/testing/cluster.js'
import { createProvisionerService } from './provisioner-service.js'

const context = {} as RpcCallContext

function serve(cluster: TestCluster) {
  return createProvisionerService({
    state: cluster.state,
    nowMs: () => cluster.nowMs,
    settle: async (event) => void cluster.feed(event),
    scriptOf: (pool, count) => `script of ${pool} for ${count}`,
    verifySubmit: async (pool) => ({ accepted: true, message: `${pool} would start`, advice: '' }),
    poolsFileProblem: () => undefined,
    refreshPools: async () => undefined,
  })
}

const three = (): TestCluster => new TestCluster(['gpu', 'cpu', 'big'].map((name) => ({ ...cpu, name })))
const firstPage = { pageSize: 0, pageToken: '' }

async function refusalOf(call: Promise<unknown>): Promise<unknown> {
  return await call.then(() => undefined, readRpcFailure)
}

test('pools are listed by name with what is desired, there and missing', async () => {
  const cluster = runningCluster(2)
  const service = serve(cluster)
  cluster.isQueueVisible = false
  cluster.poll()
  cluster.demand(12)
  const { pools } = await service.listPools(firstPage, context)
  expect(pools).toMatchObject([
    {
      ...{ name: 'cpu', desiredWorkers: 3, minWorkers: 0, maxWorkers: 10, missingWorkers: 1, presentWorkers: 2 },
      ...{ registeredAllocations: 2, condition: PoolCondition.QUEUE_UNREACHABLE },
    },
  ])
})

test('pages follow each other without a gap', async () => {
  const service = serve(three())
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
  const failure = await refusalOf(Promise.resolve(serve(three()).listPools({ pageSize: 0, pageToken }, context)))
  expect(failure).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'BAD_PAGE_TOKEN' })
})

test('the script of a pool is for the allocations that are missing, or for one', async () => {
  const cluster = three()
  const service = serve(cluster)
  expect(await service.getScript({ pool: 'cpu' }, context)).toEqual({ script: 'script of cpu for 1' })
  cluster.demand(16)
  expect(await service.getScript({ pool: 'gpu' }, context)).toEqual({ script: 'script of gpu for 4' })
})

test('an unknown pool is NOT_FOUND and names the known ones', async () => {
  const failure = await refusalOf(Promise.resolve(serve(three()).getScript({ pool: 'tpu' }, context)))
  expect(failure).toMatchObject({
    code: 'NOT_FOUND',
    reason: 'POOL_NOT_FOUND',
    message: "There is no pool 'tpu'. The pools are: gpu, cpu, big.",
    metadata: { pool: 'tpu', known: 'gpu, cpu, big' },
  })
})

test('allocations are listed with how they are, then those that have ended, the newest first', async () => {
  const cluster = runningCluster(2)
  const [first] = cluster.running
  cluster.end(first!, 'TIMEOUT', { reason: 'TimeLimit' })
  cluster.poll()
  cluster.end(cluster.running[0]!, 'FAILED', { exitCode: 3, reason: 'NonZeroExitCode' })
  cluster.poll()
  const service = serve(cluster)
  const request = { ...firstPage, pool: 'cpu', onlyLive: false }
  const { allocations } = await service.listAllocations(request, context)
  expect(allocations).toMatchObject([
    { state: AllocationState.PENDING, batchReason: 'Priority' },
    { state: AllocationState.SUBMITTED },
    { state: AllocationState.FAILED, batchState: 'FAILED', batchReason: 'NonZeroExitCode', exitCode: 3 },
    { state: AllocationState.TIMEOUT, jobId: first!.jobId },
  ])
  expect((await service.listAllocations({ ...request, onlyLive: true }, context)).allocations).toHaveLength(2)
  const one = await service.listAllocations({ ...request, pageSize: 3 }, context)
  const next = await service.listAllocations({ ...request, pageToken: one.nextPageToken ?? '' }, context)
  expect(next.allocations).toMatchObject([{ state: AllocationState.TIMEOUT }])
})

test('a pool is held, drained, paused and resumed, and the answer shows it', async () => {
  const cluster = runningCluster(1)
  const service = serve(cluster)
  expect(await service.scalePool({ pool: 'cpu', workers: 3 }, context)).toMatchObject({
    pool: { desiredWorkers: 3, heldWorkers: 3 },
  })
  expect((await service.scalePool({ pool: 'cpu', workers: undefined }, context)).pool?.heldWorkers).toBeUndefined()
  expect(await service.pausePool({ pool: 'cpu', reason: 'a demonstration' }, context)).toMatchObject({
    pool: { condition: PoolCondition.PAUSED, pauseReason: 'a demonstration' },
  })
  expect(await service.resumePool({ pool: 'cpu' }, context)).toMatchObject({ pool: { pauseReason: '' } })
  expect(await service.drainPool({ pool: 'cpu', allocationIds: [] }, context)).toMatchObject({
    pool: { condition: PoolCondition.DRAINING, drainingAllocations: 1 },
  })
})

test('single allocations are drained and replaced', async () => {
  const cluster = runningCluster(2)
  const service = serve(cluster)
  const [id] = cluster.state.allocations.keys()
  const failure = await refusalOf(Promise.resolve(service.drainPool({ pool: 'cpu', allocationIds: ['x'] }, context)))
  expect(failure).toMatchObject({ code: 'NOT_FOUND', reason: 'ALLOCATION_NOT_FOUND' })
  const { pool } = await service.drainPool({ pool: 'cpu', allocationIds: [id!] }, context)
  expect(pool).toMatchObject({ drainingAllocations: 1, registeredAllocations: 1 })
  cluster.poll()
  expect(cluster.waiting).toHaveLength(1)
})

test('what is told of a submit that would be made is what SLURM says', async () => {
  expect(await serve(three()).verifySubmit({ pool: 'big' }, context)).toEqual({
    ...{ accepted: true, message: 'big would start', advice: '' },
  })
})
