import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { distributeComputation } from 'costate/primitives'
import { createLocalCluster, type Task } from 'costate'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { rejectionOf, startLocalMesh } from '../harness/local-mesh.js'

interface Point {
  readonly x: number
  readonly folder: string
}
interface Tasks {
  readonly simulate: Task<[Point], { x: number; path: Float64Array }>
}

const source = `
import { appendFileSync } from 'node:fs'
import { task } from 'costate'
export const simulate = task(import.meta, 'simulate', async ({ x, folder }, ctx) => {
  appendFileSync(folder + '/runs', x + '\\n')
  return { x, path: Float64Array.from({ length: 2_000 }, () => x + ctx.rng.normal()) }
})
`

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'costate-memo-'))
})
afterAll(async () => rm(folder, { recursive: true }))

test('a study that is run again on a new mesh computes only what is new, and its results are the same to the bit', async () => {
  const checkpointDir = path.join(folder, 'checkpoints')
  const study = async (xs: readonly number[], code = source): Promise<string[]> => {
    await using mesh = await startLocalMesh({ workers: 2, checkpointDir })
    const { simulate } = await mesh.importModule<Tasks>('study.mjs', code)
    const points = xs.map((x) => ({ x, folder }))
    const results = await distributeComputation(simulate, points, mesh.cluster, { memoize: true })
    expect(results.map(({ x }) => x)).toEqual(xs)
    return results.map((result) => Buffer.from(new Uint8Array(result.path.buffer)).toString('base64'))
  }
  const runs = async (): Promise<number[]> =>
    (await readFile(path.join(folder, 'runs'), 'utf8')).trim().split('\n').map(Number)

  const first = await study([1, 2, 3])
  expect((await runs()).sort()).toEqual([1, 2, 3])
  const [again1, new4, again3] = await study([1, 4, 3])
  expect([again1, again3]).toEqual([first[0], first[2]])
  expect((await runs()).slice(3)).toEqual([4])
  expect(await study([4])).toEqual([new4])
  expect(await runs()).toHaveLength(4)
  // Other code is another computation.
  await study([1], source.replace('x + ctx', 'x - ctx'))
  expect((await runs()).slice(4)).toEqual([1])
})

test('two clusters do not share a folder of checkpoints: the second does not start, and says why', async () => {
  const checkpointDir = path.join(folder, 'shared')
  await using mesh = await startLocalMesh({ workers: 1, checkpointDir })
  await mesh.cluster.checkpoints.save('a', 1)
  const second = createLocalCluster({ workers: 1, runDir: path.join(folder, 'run'), name: 'second', checkpointDir })
  expect((await rejectionOf(second)).message).toContain('is in use by another process')
})
