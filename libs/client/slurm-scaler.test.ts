import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { afterEach, beforeEach, expect, test } from 'vitest'

import { Pool, ScalePoolRequest } from '#libs/proto'

import { createSlurmScaler, type PoolSteering } from './slurm-scaler.js'

let poolsFile: string
let asked: ScalePoolRequest[]
let ends: number
beforeEach(async () => {
  poolsFile = path.join(await mkdtemp(path.join(tmpdir(), 'costate-slurm-scaler-')), 'pools.json')
  asked = []
  ends = 0
})

afterEach(() => rm(path.dirname(poolsFile), { recursive: true }))

function scaler() {
  const provisioner: PoolSteering = {
    scalePool: async (request) => {
      asked.push(ScalePoolRequest.fromPartial(request))
      return { pool: undefined }
    },
    listPools: async () => ({
      pools: [Pool.fromPartial({ name: 'default', explanation: 'Pool default wants 2 workers.' })],
      ...{ nextPageToken: '', poolsFileProblem: '', queueProblem: 'it timed out', excludedNodes: [] },
    }),
  }
  const end = async (): Promise<void> => {
    ends++
  }
  return createSlurmScaler(provisioner, { options: { cores: 2 }, poolsFile, logsDir: '/logs', end })
}

test('scale holds the pool at a number', async () => {
  await scaler().scale(3)
  expect(asked).toEqual([{ pool: 'default', workers: 3 }])
  await expect(scaler().scale(-1)).rejects.toThrow(RangeError)
})

test('adapt writes its bounds into the pools file and gives the pool back to the demand', async () => {
  scaler().adapt({ minimum: 1, maximum: 7 })
  await expect.poll(() => asked).toEqual([{ pool: 'default', workers: undefined }])
  expect(JSON.parse(await readFile(poolsFile, 'utf8'))).toMatchObject({
    pools: [{ cpus: 2, minWorkers: 1, maxWorkers: 7 }],
  })
})

test('what keeps workers away is told in the words of the provisioner', async () => {
  expect(await scaler().describeTroubles()).toBe(
    "Pool default wants 2 workers. SLURM's queue cannot be seen: it timed out. See the output of the jobs in /logs",
  )
})

test('a cluster ends once', async () => {
  const it = scaler()
  await it.close()
  await it.close()
  expect(ends).toBe(1)
})
