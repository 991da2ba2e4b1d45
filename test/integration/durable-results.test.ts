import { expect, test } from 'vitest'

import type { Task } from 'costate'

import { startLocalMesh } from '../harness/local-mesh.js'

const source = `
import { task } from 'costate'
export const ramp = task(import.meta, 'ramp', (n) => Float64Array.from({ length: n }, (_, k) => k))
`

const length = 100_000

test('a large result outlives the crash of the worker that made it, and is not computed again', async () => {
  await using mesh = await startLocalMesh({ workers: 1, durableResults: '500KB' })
  const { ramp } = await mesh.importModule<{ ramp: Task<[number], Float64Array> }>('tasks.mjs', source)
  const { cluster } = mesh
  const made = cluster.submit(ramp, length)
  await made.settled()
  await expect.poll(() => cluster.explain(made), { timeout: 30_000 }).toContain('in the checkpoint-store')
  const [worker] = await cluster.workers()
  process.kill(worker?.pid ?? 0, 'SIGKILL')
  expect((await made.result()).at(-1)).toBe(length - 1)
  expect((await cluster.story(made)).map(({ event }) => event)).not.toContain('taskReopened')
}, 90_000)
