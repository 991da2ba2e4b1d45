import {
  checkpointComputation,
  distributedCrossValidation,
  faultTolerantMap,
  monteCarlo,
  pipeline,
  scatterGatherReduction,
} from 'costate/primitives'
import { type Cluster, createInlineCluster, createLocalCluster, type Task } from 'costate'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { type LocalMesh, startLocalMesh } from '../harness/local-mesh.js'

/** What a user writes: the functions, in two modules. */
interface UserTasks {
  readonly walk: Task<[number], number>
  readonly inverse: Task<[number], number>
  readonly double: Task<[Float64Array], Float64Array>
  readonly total: Task<[Float64Array], number>
  readonly leave: Task<[number], number>
  readonly create: Task<[], { mean: number }>
  readonly train: Task<[{ mean: number }, readonly number[]], { mean: number }>
  readonly score: Task<[{ mean: number }, readonly number[]], number>
  readonly counted: Task<[number], number>
}

let mesh: LocalMesh
let cluster: Cluster
let tasks: UserTasks
let add: Task<[number, number], number>

beforeAll(async () => {
  mesh = await startLocalMesh({ workers: 2 })
  cluster = mesh.cluster
  tasks = await mesh.importModule<UserTasks>(
    'tasks.mjs',
    `import { task } from 'costate'
     export const walk = task(import.meta, 'walk', (index, ctx) => {
       let x = 0
       for (let k = 0; k < 20; k++) x += ctx.rng.normal()
       return x
     })
     export const inverse = task(import.meta, 'inverse', async (x) => 1 / x)
     export const double = task(import.meta, 'double', async (values) => values.map((x) => 2 * x))
     export const total = task(import.meta, 'total', async (values) => values.reduce((a, b) => a + b, 0))
     export const leave = task(import.meta, 'leave', async (x, ctx) => {
       if (x === 2 && ctx.attempt === 1) process.exit(7)
       if (x === 3) throw new RangeError('three')
       return x
     })
     export const create = task(import.meta, 'create', async () => ({ mean: 0 }))
     export const train = task(import.meta, 'train', async (model, rows) => {
       model.mean = rows.reduce((a, b) => a + b, 0) / rows.length
     })
     export const score = task(import.meta, 'score', async ({ mean }, rows) => mean - rows[0])
     export const counted = task(import.meta, 'counted', async (x, ctx) => x + Number(ctx.jobId !== ''))`,
  )
  ;({ add } = await mesh.importModule<{ add: typeof add }>(
    'add.mjs',
    `import { task } from 'costate'
     export const add = task(import.meta, 'add', async (a, b) => a + b)`,
  ))
})

afterAll(async () => mesh.close())

test('an estimate is the same bits on a mesh as in this process, also when it stops by its error', async () => {
  await using inline = createInlineCluster()
  for (const until of [undefined, { standardError: 0.04 }]) {
    const options = { sample: tasks.walk, n: 30_000, seed: 5, ...(until ? { until } : {}) }
    const there = await monteCarlo({ ...options, cluster })
    const here = await monteCarlo({ ...options, cluster: inline })
    expect(there).toEqual(here)
    expect(there.stopped).toBe(until ? 'standardError' : 'n')
  }
})

test('a reduction of functions of two modules is the same bits on a mesh as in this process', async () => {
  await using inline = createInlineCluster()
  const data = Float64Array.from({ length: 2_000 }, (_, k) => k + 1)
  const options = { data, mapFn: tasks.inverse, reduceFn: add, chunkSize: 50 }
  const there = await scatterGatherReduction<number, number>({ ...options, cluster })

  expect(there).toBe(await scatterGatherReduction<number, number>({ ...options, cluster: inline }))
  // The harmonic number H(2000).
  expect(there).toBeCloseTo(8.178368103610282, 12)
})

test('a map survives a worker that dies, and lists what failed', async () => {
  const { results, failures } = await faultTolerantMap(tasks.leave, [1, 2, 3], { cluster, maxRetries: 1 })

  expect(results).toEqual([1, 2, undefined])
  expect(failures).toMatchObject([{ index: 2, input: 3, attempts: 2, error: { errorName: 'RangeError' } }])
})

test('intermediates go from worker to worker, and what was kept is not computed again', async () => {
  const data = Float64Array.from({ length: 100_000 }, () => 1)
  const run = (): Promise<number> =>
    pipeline([tasks.double, tasks.total], data, { cluster, name: 'p', persistIntermediate: true })

  expect(await run()).toBe(200_000)
  const kept = await cluster.checkpoints.load<{ result: number }>('pipelines/p/total')
  await cluster.checkpoints.save('pipelines/p/total', { ...kept!.value, result: -1 })
  // Proof that it was read and not computed.
  expect(await run()).toBe(-1)
  await cluster.checkpoints.delete('pipelines/p/total')
  expect(await run()).toBe(200_000)
})

test('a computation is kept in the checkpoint-store', async () => {
  const options = { cluster, name: 'studies/once' }
  expect(await checkpointComputation(tasks.counted, [1], options)).toBe(2)
  expect(await checkpointComputation(tasks.counted, [1], options)).toBe(2)
  expect((await cluster.checkpoints.load('studies/once'))?.version).toBe(1)
  await checkpointComputation(tasks.counted, [1], { ...options, force: true })
  expect((await cluster.checkpoints.load('studies/once'))?.version).toBe(2)
})

test('folds run on workers, model and all', async () => {
  const { scores } = await distributedCrossValidation({
    ...{ cluster, modelFn: tasks.create, trainFn: tasks.train, evaluateFn: tasks.score },
    ...{ data: [1, 2, 3, 4, 5, 6], nFolds: 3 },
  })
  expect(scores).toEqual([3.5, 0.5, -2.5])
})

test('who aborts leaves nothing that runs', async () => {
  const stop = new AbortController()
  const run = monteCarlo({
    ...{ cluster, sample: tasks.walk, n: 1e9, signal: stop.signal },
    onProgress: () => stop.abort(new Error('enough')),
  })
  await expect(run).rejects.toThrow('enough')
  const next = cluster.submit(tasks.inverse, 4)
  expect(await next.result()).toBe(0.25)
})

test('data finds its tasks on a cluster whose workers come with the work', async () => {
  await using later = await createLocalCluster({ workers: 1 })
  await later.scale(0)
  await expect.poll(() => later.workers(), { timeout: 60_000 }).toEqual([])
  later.adapt({ minimum: 0, maximum: 1 })
  const { scores } = await distributedCrossValidation({
    ...{ cluster: later, modelFn: tasks.create, trainFn: tasks.train, evaluateFn: tasks.score },
    ...{ data: [1, 2, 3, 4, 5, 6], nFolds: 3 },
  })
  expect(scores).toEqual([3.5, 0.5, -2.5])
})

test('a reduction begins before there is a worker', async () => {
  await using later = await createLocalCluster({ workers: 1 })
  await later.scale(0)
  await expect.poll(() => later.workers(), { timeout: 60_000 }).toEqual([])
  const data = Float64Array.of(1, 2, 4)
  const sum = scatterGatherReduction<number, number>({ cluster: later, data, mapFn: tasks.inverse, reduceFn: add })
  await later.scale(1)
  expect(await sum).toBe(1.75)
})
