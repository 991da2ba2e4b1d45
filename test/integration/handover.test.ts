import { afterAll, beforeAll, expect, test } from 'vitest'

import type { Task } from 'costate'

import { type LocalMesh, startLocalMesh } from '../harness/local-mesh.js'

const source = `
import { task } from 'costate'
export const ramp = task(import.meta, 'ramp', (n) => Float64Array.from({ length: n }, (_, k) => k))
export const sum = task(import.meta, 'sum', (...all) => all.slice(0, -1).reduce((s, xs) => s + xs.reduce((a, b) => a + b, 0), 0))
`

interface Tasks {
  readonly ramp: Task<[number], Float64Array>
  readonly sum: Task<Float64Array[], number>
}

const length = 100_000
const total = (length * (length - 1)) / 2

let mesh: LocalMesh
let tasks: Tasks

beforeAll(async () => {
  mesh = await startLocalMesh({ workers: 2 })
  tasks = await mesh.importModule<Tasks>('tasks.mjs', source)
})
afterAll(() => mesh.close())

test('scaling to zero loses nothing: results and scattered values are there without a worker, and for workers that come', async () => {
  const { cluster } = mesh
  const results = cluster.map(tasks.ramp, [length, length, length])
  const value = await cluster.scatter(Float64Array.from({ length }, (_, k) => -k))
  await cluster.gather(results)
  const fresh = cluster.submit(tasks.ramp, length)
  await cluster.gather([cluster.submit(tasks.sum, fresh)])

  await cluster.scale(0)
  await expect.poll(async () => (await cluster.workers()).length).toBe(0)
  expect(await cluster.explain(fresh)).toContain('is in the checkpoint-store')
  expect((await fresh.result()).at(-1)).toBe(length - 1)
  expect((await value.result()).at(-1)).toBe(1 - length)

  await cluster.scale(1)
  expect(await cluster.submit(tasks.sum, fresh, value, results[0] as never).result()).toBe(total)
  // Nothing of that was computed twice.
  const story = await cluster.story(fresh)
  expect(story.map(({ event }) => event)).not.toContain('taskReopened')
})
