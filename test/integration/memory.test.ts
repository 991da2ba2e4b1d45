import { readdir, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import type { ScatteredObject, Task } from 'costate'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { type LocalMesh, rejectionOf, startLocalMesh } from '../harness/local-mesh.js'

interface Tasks {
  readonly sum: Task<[Float64Array], number>
  readonly fill: Task<[number, number], Float64Array>
  readonly keep: Task<[number, string], string>
  readonly name: Task<[], string>
}

const source = `
import { existsSync } from 'node:fs'
import { task } from 'costate'
export const sum = task(import.meta, 'sum', async (xs) => xs.reduce((a, b) => a + b, 0))
export const fill = task(import.meta, 'fill', async (length, value) => new Float64Array(length).fill(value))
export const keep = task(import.meta, 'keep', async (bytes, marker) => {
  const kept = Buffer.alloc(bytes, 1)
  while (!existsSync(marker)) await new Promise((resolve) => setTimeout(resolve, 20))
  return 'kept ' + kept.length
})
export const name = task(import.meta, 'name', async () => String(process.pid))
`

/**
 * Of one array: 10 MB, so that what tasks have in their hands beside what is held is a small part of the limit. Two of them with an input,
 * a result, its copy and what the one before left have 80 MB, and the worker's supervisor ends it 180 MB above where it takes no more.
 */
const length = 1_250_000
/** Half a gigabyte goes to the disk and back. */
vi.setConfig({ testTimeout: 180_000 })

let mesh: LocalMesh
let tasks: Tasks
let spillDir: string

beforeEach(async () => {
  spillDir = path.join(tmpdir(), `costate-memory-test-${process.pid}`)
  mesh = await startLocalMesh({ workers: 1, threadsPerWorker: 2, memoryLimit: '1200MB', spillDir })
  tasks = await mesh.importModule<Tasks>('tasks.mjs', source)
})

afterEach(async () => {
  await mesh.close()
  expect(await readdir(spillDir)).toEqual([])
})

async function spilledBytes(): Promise<number> {
  return (await mesh.cluster.workers()).reduce((sum, worker) => sum + worker.spilledBytes, 0)
}

test('a worker holds more than its memory: what is scattered and what tasks return goes to its disk and comes back whole', async () => {
  const { cluster } = mesh
  const scattered: ScatteredObject<Float64Array>[] = []
  // 600 MB scattered and 600 MB of results, in a worker of 1,200 MB.
  for (let i = 0; i < 60; i++) scattered.push(await cluster.scatter(new Float64Array(length).fill(i)))
  const futures = cluster.map(tasks.fill, Array<number>(60).fill(length), [...Array(60).keys()])
  const sums = await cluster.gather(cluster.map(tasks.sum, scattered as never))
  expect(sums).toEqual([...Array(60).keys()].map((i) => i * length))
  expect(await cluster.gather(cluster.map(tasks.sum, futures as never))).toEqual(sums)
  for (const [i, object] of scattered.entries()) expect(isFilledWith(await object.result(), i)).toBe(true)
  await expect.poll(spilledBytes, { timeout: 30_000 }).toBeGreaterThan(200e6)
  for (const object of scattered) object.release()
  for (const future of futures) future.release()
  await expect.poll(spilledBytes, { timeout: 30_000 }).toBe(0)
  const [folder = ''] = await readdir(spillDir)
  await expect.poll(() => readdir(path.join(spillDir, folder))).toEqual([])
})

test('an array that is larger than the memory of the worker streams in and out', async () => {
  const { cluster } = mesh
  async function* array(): AsyncGenerator<Float64Array> {
    for (let i = 0; i < 120; i++) yield new Float64Array(length).fill(i)
  }
  const scattered = await cluster.scatter(array())
  expect(scattered.byteLength).toBe(120 * 8 * length)
  let next = 0
  for await (const chunk of scattered.chunks()) {
    expect(isFilledWith(chunk, next)).toBe(true)
    next++
  }
  expect(next).toBe(120)
  await expect.poll(spilledBytes, { timeout: 30_000 }).toBeGreaterThan(100e6)
})

test('bits that flip on the disk are never delivered: a result is computed again, a scattered value is DATA_LOSS', async () => {
  const { cluster } = mesh
  const futures = cluster.map(tasks.fill, Array<number>(84).fill(length), [...Array(84).keys()])
  await Promise.all(futures.map((future) => future.settled()))
  const scattered = await cluster.scatter(new Float64Array(length).fill(9))
  await expect.poll(spilledBytes, { timeout: 30_000 }).toBeGreaterThan(0)
  const [folder = ''] = await readdir(spillDir)
  for (const name of await readdir(path.join(spillDir, folder))) await flipBit(path.join(spillDir, folder, name))
  // Those that were made first are on the disk.
  for (const [i, future] of futures.slice(0, 3).entries()) {
    expect(await cluster.submit(tasks.sum, future as never).result()).toBe(i * length)
    expect(isFilledWith(await future.result(), i)).toBe(true)
  }
  const value = await scattered.result().catch((error: unknown) => error as Error & { code: string })
  if (value instanceof Error)
    expect(value).toMatchObject({ code: 'DATA_LOSS', message: expect.stringContaining(scattered.id) as string })
  else expect(isFilledWith(value, 9)).toBe(true)
})

test('a worker whose memory is nearly full is paused, and what waits runs when there is room again', async () => {
  const { cluster } = mesh
  const marker = path.join(mesh.userDir, 'go-on')
  const hog = cluster.submit(tasks.keep, 900e6, marker)
  const stateOf = async (): Promise<string | undefined> => (await cluster.workers())[0]?.state
  await expect.poll(stateOf, { timeout: 60_000 }).toBe('paused')
  const waiting = cluster.submit(tasks.name)
  await expect.poll(() => cluster.explain(waiting)).toContain('is paused because memory is nearly full')
  await writeFile(marker, '')
  expect(await hog.result()).toBe('kept 900000000')
  expect(await waiting.result()).toMatch(/^\d+$/)
})

test('what a worker that is killed left on the disk is removed by the one that takes its place', async () => {
  const { cluster } = mesh
  const objects = await Promise.all([...Array(96).keys()].map((i) => cluster.scatter(new Float64Array(length).fill(i))))
  await expect.poll(spilledBytes, { timeout: 30_000 }).toBeGreaterThan(0)
  const [left] = await readdir(spillDir)
  const [before] = await cluster.workers()
  process.kill(before?.pid ?? 0, 'SIGKILL')
  await expect
    .poll(async () => (await cluster.workers()).some(({ id }) => id !== before?.id), { timeout: 60_000 })
    .toBe(true)
  expect(await readdir(spillDir)).not.toContain(left)
  await rejectionOf((objects[0] as ScatteredObject<Float64Array>).result())
})

/** Looks where bits are flipped, too. */
function isFilledWith(numbers: Float64Array, value: number): boolean {
  return numbers.length === length && numbers[0] === value && numbers[1_543] === value && numbers[length - 1] === value
}

async function flipBit(file: string): Promise<void> {
  const bytes = await readFile(file)
  bytes[12_345] = (bytes[12_345] ?? 0) ^ 4
  await writeFile(file, bytes)
}
