import { expect, test } from 'vitest'

import { checkBounds, poolsFileOf, type SlurmClusterOptions } from './slurm-options.js'

function poolOf(options: SlurmClusterOptions, bounds = { minimum: 0, maximum: 4 }): Record<string, unknown> {
  const { pools } = JSON.parse(poolsFileOf(options, bounds)) as { readonly pools: readonly Record<string, unknown>[] }
  expect(pools).toHaveLength(1)
  return pools[0]!
}

test('what is given becomes the pool, by the names of the pools file, and nothing else does', () => {
  const options: SlurmClusterOptions = {
    ...{
      cores: 8,
      memory: '16GB',
      walltime: '02:00:00',
      queue: 'long',
      account: 'me',
      gres: 'gpu:1',
      modules: ['x/1'],
    },
    ...{
      workers: 3,
      name: 'm',
      keepAlive: true,
      runDir: '/r',
      dataDir: '/d',
      pollInterval: '5s',
      durability: 'memory',
    },
  }
  expect(poolOf(options)).toEqual({
    ...{ name: 'default', cpus: 8, memory: '16GB', walltime: '02:00:00', partition: 'long', account: 'me' },
    ...{ gres: 'gpu:1', modules: ['x/1'], nodes: 1, workersPerNode: 1, minWorkers: 0, maxWorkers: 4 },
    listenAddress: '0.0.0.0:0',
  })
})

test('a setting that is unknown is passed on, so that the provisioner names it', () => {
  expect(poolOf({ memry: '1GB' } as SlurmClusterOptions)).toMatchObject({ memry: '1GB' })
})

test('a cluster of one machine listens for that machine only', () => {
  expect(poolOf({ host: '127.0.0.1' })).toMatchObject({ listenAddress: '127.0.0.1:0' })
})

test('a pool may always have one job', () => {
  expect(poolOf({ nodes: 4, workersPerNode: 2 }, { minimum: 0, maximum: 0 })).toMatchObject({ maxWorkers: 8 })
})

test.each([
  [-1, 2],
  [3, 2],
  [0.5, 2],
  [0, 1_001],
])('%d to %d workers are refused', (minimum, maximum) => {
  expect(() => checkBounds({ minimum, maximum })).toThrow(RangeError)
})
