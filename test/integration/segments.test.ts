import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'

// Arrays of a few MB are here what arrays above 4 GiB are elsewhere: more than one view of bytes can have. The services hear of it, too.
vi.hoisted(() => (process.env['COSTATE_SEGMENT_BYTES'] = String(2 ** 20)))

import { MeshError, shared, type Task } from 'costate'

import { type LocalMesh, startLocalMesh } from '../harness/local-mesh.js'

const length = 330_000

const source = `
import { task } from 'costate'
export const sum = task(import.meta, 'sum', async (x) => x.reduce((sum, value) => sum + value, 0))
export const look = task(import.meta, 'look', async (x) => [x.length, x[0], x.at(-1)])
export const ramp = task(import.meta, 'ramp', async (length) => Float64Array.from({ length }, (_, k) => k))
export const negate = task(import.meta, 'negate', async (x) => {
  for (let k = 0; k < x.length; k++) x[k] = -x[k]
  return x
})
export const spoil = task(import.meta, 'spoil', async (x) => void (x[0] = 7))
export const nest = task(import.meta, 'nest', async (length) => {
  const numbers = Float64Array.from({ length }, (_, k) => k)
  return { numbers, parts: [numbers.subarray(10), new Float32Array([1, 2, 3])], name: 'nested' }
})
export const parent = task(import.meta, 'parent', async (length, ctx) => {
  const made = await ctx.submit(ramp, length).result()
  const [first, last] = [made[1], made.at(-1)]
  made.fill(5)
  // As an argument it goes to the checkpoint-store.
  return [first, last, await ctx.submit(sum, made).result()]
})
export const resume = task(import.meta, 'resume', async (length, ctx) => {
  const state = Float64Array.from({ length }, (_, k) => k)
  await ctx.checkpoint.save(state, { iteration: 3 })
  state.fill(0)
  const saved = await ctx.checkpoint.load()
  return [saved.iteration, saved.state.length, saved.state[1], saved.state.at(-1)]
})
`

interface Tasks {
  readonly sum: Task<[unknown], number>
  readonly look: Task<[unknown], number[]>
  readonly ramp: Task<[number], Float64Array>
  readonly negate: Task<[unknown], Float64Array>
  readonly spoil: Task<[unknown], undefined>
  readonly nest: Task<[number], { numbers: Float64Array; parts: [Float64Array, Float32Array]; name: string }>
  readonly parent: Task<[number], number[]>
  readonly resume: Task<[number], number[]>
}

const numbers = (): Float64Array => Float64Array.from({ length }, (_, k) => k)
const sumOfRamp = ((length - 1) * length) / 2

/** Whether the array is 0, factor, 2·factor, … bit for bit: to compare element by element takes seconds. */
function isRamp(array: Float64Array, factor = 1): boolean {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength).equals(
    Buffer.from(Float64Array.from({ length: array.length }, (_, k) => factor * k).buffer),
  )
}

describe.each(['thread', 'process'] as const)('with each slot in a %s', { timeout: 180_000 }, (executor) => {
  let mesh: LocalMesh
  let tasks: Tasks
  beforeAll(async () => {
    mesh = await startLocalMesh({ workers: 1, executor })
    tasks = await mesh.importModule('tasks.mjs', source)
  })
  afterAll(() => mesh.close())

  test('an array of several segments is one object: scattered, an input, fetched whole and in pieces', async () => {
    const { cluster } = mesh
    const x = await cluster.scatter(numbers())
    expect(await cluster.submit(tasks.sum, shared(x)).result()).toBe(sumOfRamp)
    // What a task does to its own copy nobody else sees.
    const negated = await cluster.gather([cluster.submit(tasks.negate, x), cluster.submit(tasks.negate, x)])
    expect(negated.map((array) => isRamp(array, -1))).toEqual([true, true])
    const whole = await x.result()
    expect([whole.length, isRamp(whole), whole.buffer instanceof ArrayBuffer]).toEqual([length, true, true])
    let next = 0
    for await (const chunk of x.chunks({ chunkBytes: '1.5MB' })) {
      expect(chunk.every((value, k) => value === next + k)).toBe(true)
      next += chunk.length
    }
    expect(next).toBe(length)
    x.release()
  })

  test('so it is in the checkpoint-store, where no worker need hold it', async () => {
    const { cluster } = mesh
    const x = await cluster.scatter({ x: numbers(), parts: [numbers(), 1] }, { durable: true })
    const { x: whole, parts } = await x.result()
    expect([isRamp(whole), isRamp(parts[0] as Float64Array), x.workerIds]).toEqual([true, true, []])
    x.release()
  })

  test('so is a result: for the next tasks in its slot, which share it or get copies, and for the program', async () => {
    const { cluster } = mesh
    const made = cluster.submit(tasks.ramp, length)
    const [negated, summed] = [cluster.submit(tasks.negate, made), cluster.submit(tasks.sum, shared(made))]
    expect(await summed.result()).toBe(sumOfRamp)
    expect(isRamp(await negated.result(), -1)).toBe(true)
    expect(isRamp(await made.result())).toBe(true)
  })

  test('a value with several arrays may have more than a segment, too', async () => {
    const { name, numbers, parts } = await mesh.cluster.submit(tasks.nest, length).result()
    expect([name, isRamp(numbers), parts[0].length, parts[0][0], [...parts[1]]]).toEqual([
      'nested',
      true,
      length - 10,
      10,
      [1, 2, 3],
    ])
  })

  test('so may an argument that the program or a task passes, and what a task saves', async () => {
    const { cluster } = mesh
    expect(await cluster.submit(tasks.sum, numbers()).result()).toBe(sumOfRamp)
    expect(await cluster.submit(tasks.parent, length).result()).toEqual([1, length - 1, 5 * length])
    expect(await cluster.submit(tasks.resume, length).result()).toEqual([3, length, 1, length - 1])
  })
})

test('what is spilled, copied to another worker, or handed over when all leave is what it was', async () => {
  await using mesh = await startLocalMesh({ workers: 1, memoryLimit: '200MB' })
  const { cluster } = mesh
  const { sum } = await mesh.importModule<Tasks>('tasks.mjs', source)
  const x = numbers()
  const [spilled, copied, left] = [await cluster.scatter(x), await cluster.scatter(x), await cluster.scatter(x)]
  // What was scattered first is spilled first; the most that the worker holds in memory are 120 MB.
  const others = []
  while (((await cluster.workers())[0]?.spilledBytes ?? 0) < 3 * x.byteLength) others.push(await cluster.scatter(x))
  for (const other of others) other.release()
  expect(isRamp(await spilled.result())).toBe(true)
  expect(await cluster.submit(sum, shared(spilled)).result()).toBe(sumOfRamp)
  await cluster.scale(2)
  await expect.poll(async () => (await cluster.workers()).length, { timeout: 60_000 }).toBe(2)
  await cluster.replicate(copied, { copies: 2 })
  expect(isRamp(await copied.result())).toBe(true)
  await cluster.scale(0)
  await expect.poll(async () => (await cluster.workers()).length, { timeout: 60_000 }).toBe(0)
  expect(isRamp(await left.result())).toBe(true)
}, 180_000)

test('with verifyInputs a task that changes what it shares is named, and nobody else sees the change', async () => {
  await using mesh = await startLocalMesh({ workers: 1, verifyInputs: true })
  const { cluster } = mesh
  const { spoil, look } = await mesh.importModule<Tasks>('tasks.mjs', source)
  const x = await cluster.scatter(numbers())
  const spoilt = cluster.submit(spoil, shared(x)).result()
  await expect(spoilt).rejects.toThrow(/changed its shared input/)
  await expect(spoilt).rejects.not.toBeInstanceOf(MeshError)
  expect(await cluster.submit(look, shared(x)).result()).toEqual([length, 0, length - 1])
}, 180_000)
