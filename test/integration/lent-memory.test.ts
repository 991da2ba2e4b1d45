import { type Task } from 'costate'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { type LocalMesh, startLocalMesh } from '../harness/local-mesh.js'

/** 16 MB: such arrays lie in memory that a worker and the threads of its slots have in common. */
const length = 2_000_000

const source = `
import { task } from 'costate'
let kept
export const ramp = task(import.meta, 'ramp', async (length) => Float64Array.from({ length }, (_, k) => k))
export const negate = task(import.meta, 'negate', async (x) => {
  for (let k = 0; k < x.length; k++) x[k] = -x[k]
  return x
})
export const keep = task(import.meta, 'keep', async (x) => void (kept = x))
export const kept1 = task(import.meta, 'kept1', async () => [kept.length, kept[1], kept.at(-1)])
export const change = task(import.meta, 'change', async (length) => {
  const result = new Float64Array(length).fill(1)
  setTimeout(() => result.fill(2), 0)
  return result
})
export const die = task(import.meta, 'die', async () => process.exit(3))
`

interface Tasks {
  readonly ramp: Task<[number], Float64Array>
  readonly negate: Task<[unknown], Float64Array>
  readonly keep: Task<[unknown], undefined>
  readonly kept1: Task<[], number[]>
  readonly change: Task<[number], Float64Array>
  readonly die: Task<[unknown], undefined>
}

let mesh: LocalMesh
let tasks: Tasks

beforeAll(async () => {
  mesh = await startLocalMesh({ workers: 1 })
  tasks = await mesh.importModule('tasks.mjs', source)
})

afterAll(async () => {
  await mesh.close()
})

/** Whether the array is 0, factor, 2·factor, … bit for bit: to compare element by element takes seconds. */
function isRamp(array: Float64Array, factor: number): boolean {
  const { buffer, byteOffset, byteLength } = numbers(factor)
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength).equals(
    Buffer.from(buffer, byteOffset, byteLength),
  )
}

const numbers = (factor: number): Float64Array => Float64Array.from({ length }, (_, k) => factor * k)

test('what a task does to a large input nobody else sees', async () => {
  const { cluster } = mesh
  const x = await cluster.scatter(numbers(1))
  for (let round = 0; round < 3; round++) expect(isRamp(await cluster.submit(tasks.negate, x).result(), -1)).toBe(true)
  expect(isRamp(await x.result(), 1)).toBe(true)
  x.release()
})

test('what a task keeps of its large inputs stays what it is, whatever comes after', async () => {
  const { cluster } = mesh
  const x = await cluster.scatter(numbers(3))
  await cluster.submit(tasks.keep, x).result()
  x.release()
  for (let factor = 4; factor < 10; factor++) {
    const other = await cluster.scatter(numbers(factor))
    await cluster.submit(tasks.negate, other).result()
    other.release()
  }
  expect(await cluster.submit(tasks.kept1).result()).toEqual([length, 3, 3 * (length - 1)])
})

test('a large result is what the task returned, whatever the task does to it afterwards', async () => {
  const { cluster } = mesh
  const future = cluster.submit(tasks.change, length)
  await future.settled()
  // Runs in the same slot, after what the first one left behind.
  await cluster.submit(tasks.ramp, 10).result()
  expect((await future.result()).every((value) => value === 1)).toBe(true)
})

test('a large result is an input of the next task in the slot, and of others', async () => {
  const { cluster } = mesh
  const first = cluster.submit(tasks.ramp, length)
  const [second, third] = [cluster.submit(tasks.negate, first), cluster.submit(tasks.negate, first)]
  const fourth = cluster.submit(tasks.negate, second)
  const results = await cluster.gather([second, third, fourth])
  expect(results.map((array, k) => isRamp(array, [-1, -1, 1][k] ?? NaN))).toEqual([true, true, true])
})

test('a thread that ends with a large input takes nothing with it', async () => {
  const { cluster } = mesh
  const x = await cluster.scatter(numbers(1))
  await expect(cluster.submit(tasks.die, x).result()).rejects.toThrow('process.exit(3)')
  expect(isRamp(await cluster.submit(tasks.negate, x).result(), -1)).toBe(true)
  expect(isRamp(await x.result(), 1)).toBe(true)
  x.release()
})
