import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import type { Task } from 'costate'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { createMeshSecurity } from '#libs/rpc'

import { type LocalMesh, packageRoot, rejectionOf, startLocalMesh } from '../harness/local-mesh.js'
import { waitForFile } from '../harness/marker-file.js'

interface Tasks {
  readonly text: Task<[number], string>
  readonly many: Task<[number], string[]>
  readonly lengthOf: Task<[string | string[]], number>
  readonly shout: Task<[number], string>
  readonly hog: Task<[], number>
  readonly wait: Task<[number], number>
  readonly linger: Task<[string], number>
}

const source = `
import { writeFileSync } from 'node:fs'
import { task } from 'costate'
export const text = task(import.meta, 'text', async (length) => 'x'.repeat(length))
export const many = task(import.meta, 'many', async (count) => Array.from({ length: count }, (_, i) => 's' + i))
export const lengthOf = task(import.meta, 'lengthOf', async (value) => value.length)
export const shout = task(import.meta, 'shout', async (length, ctx) => {
  const line = 'x'.repeat(length)
  console.log(line)
  ctx.log.warn(line)
  ctx.progress(1, { message: line })
  return 'said'
})
export const hog = task(import.meta, 'hog', async () => {
  const kept = []
  for (;;) {
    kept.push(Buffer.alloc(40e6, 1))
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
})
export const linger = task(import.meta, 'linger', async (marker, ctx) => {
  if (ctx.attempt > 1) return ctx.attempt
  writeFileSync(marker, '')
  await new Promise((resolve) => setTimeout(resolve, 60_000))
})
export const wait = task(import.meta, 'wait', async (ms) => {
  await new Promise((resolve) => setTimeout(resolve, ms))
  return ms
})
`

let mesh: LocalMesh
let tasks: Tasks

beforeAll(async () => {
  mesh = await startLocalMesh({ workers: 1, threadsPerWorker: 2, memoryLimit: '600MB' })
  tasks = await mesh.importModule<Tasks>('tasks.mjs', source)
})

afterAll(async () => mesh.close())

test('a text of 20 MB and a million small values are results like others, and arguments of other tasks', async () => {
  const { cluster } = mesh
  const text = cluster.submit(tasks.text, 20_000_000)
  const many = cluster.submit(tasks.many, 500_000)
  expect(await cluster.submit(tasks.lengthOf, text as never).result()).toBe(20_000_000)
  expect(await cluster.submit(tasks.lengthOf, many as never).result()).toBe(500_000)
  expect(await text.result()).toHaveLength(20_000_000)
  expect((await many.result()).at(-1)).toBe('s499999')
})

test('a line of 20 MB is cut, and the worker goes on', async () => {
  const future = mesh.cluster.submit(tasks.shout, 20_000_000)
  const lines: string[] = []
  const both = new Promise<void>((resolve) =>
    future.job.onLog(({ text }) => {
      if (lines.push(text) === 2) resolve()
    }),
  )
  expect(await future.result()).toBe('said')
  await both
  for (const line of lines) {
    expect(line.length).toBeLessThan(70_000)
    expect(line).toMatch(/… \[\d+ more characters were cut\]$/)
  }
})

test('a task that breaks the memory limit fails with the figures, and its neighbour finishes', async () => {
  const { cluster } = mesh
  const hog = cluster.submit(tasks.hog)
  await expect.poll(async () => (await cluster.workers()).some(({ assignedTasks }) => assignedTasks > 0)).toBe(true)
  const neighbour = cluster.submit(tasks.wait, 1_500)
  const failure = await rejectionOf(hog.result())
  expect(failure).toMatchObject({ kind: 'outOfMemory', reason: 'MEMORY_LIMIT' })
  expect(failure.message).toMatch(/ended its worker 4 times.*\d+ MB of 600 MB/)
  expect(await neighbour.result()).toBe(1_500)
})

test('a worker that is told to stop gives its running task back, to be run elsewhere', async () => {
  const { cluster } = mesh
  const marker = path.join(mesh.userDir, 'first-attempt')
  const future = cluster.submit(tasks.linger, marker)
  await waitForFile(marker)
  const [worker] = await cluster.workers()
  await cluster.scale(2)
  await cluster.waitForWorkers(2)
  process.kill((worker as { pid: number }).pid, 'SIGTERM')
  expect(await future.result()).toBe(2)
  expect((await cluster.workers()).map(({ id }) => id)).not.toContain(worker?.id)
})

test('a worker that is told to stop while it waits for its scheduler stops at once', async () => {
  const meshDir = await mkdtemp(path.join(tmpdir(), 'costate-alone-'))
  await createMeshSecurity(meshDir)
  const program = path.join(packageRoot, 'dist', 'services', 'worker', 'main.cjs')
  const worker = spawn(process.execPath, [program, '--mesh-dir', meshDir], {
    stdio: 'ignore',
    env: { ...process.env, COSTATE_SUPERVISED: '1' },
  })
  // It looks into this folder for its scheduler's address.
  await waitForFile(path.join(meshDir, 'addresses'))
  worker.kill('SIGTERM')
  // It would wait for a minute, and then fail.
  expect(await once(worker, 'exit')).toEqual([0, null])
  await rm(meshDir, { recursive: true })
})
