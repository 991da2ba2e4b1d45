import { readFileSync } from 'node:fs'
import path from 'node:path'

import { createInlineCluster, type Task, TaskError } from 'costate'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { type LocalMesh, rejectionOf, startLocalMesh } from '../harness/local-mesh.js'
import { waitForFile } from '../harness/marker-file.js'

interface Tasks {
  readonly fib: Task<[n: number], number>
  readonly nest: Task<[depth: number, width: number], number>
  readonly integrate: Task<[a: number, b: number, tolerance: number], number>
  readonly sumOfMap: Task<[count: number], number>
  readonly total: Task<[count: number], number>
  readonly forgiving: Task<[], { kind: string; message: string; isTaskError: boolean }>
  readonly careless: Task<[], number>
  readonly guard: Task<[marker: string], number>
  readonly survivor: Task<[log: string, marker: string], number>
  readonly hasty: Task<[], number>
  readonly endless: Task<[depth: number], number>
  readonly foreign: Task<[], number>
  readonly fastest: Task<[], number>
  readonly retried: Task<[log: string], number>
}

const source = `
import { appendFileSync, existsSync, writeFileSync } from 'node:fs'
import { task, TaskError } from 'costate'
const sleep = (ms, signal) => new Promise((resolve, reject) => {
  const timer = setTimeout(resolve, ms)
  signal?.addEventListener('abort', () => { clearTimeout(timer); reject(signal.reason) })
})
export const fib = task(import.meta, 'fib', async (n, ctx) => {
  if (n < 2) return n
  const [a, b] = await ctx.gather([ctx.submit(fib, n - 1), ctx.submit(fib, n - 2)])
  return a + b
})
export const nest = task(import.meta, 'nest', async (depth, width, ctx) => {
  if (depth === 0) return 1
  const counts = await ctx.gather(ctx.map(nest, Array(width).fill(depth - 1), Array(width).fill(width)))
  return counts.reduce((sum, count) => sum + count, 0)
})
const f = (x) => Math.exp(-x * x) * Math.cos(20 * x)
const simpson = (a, b) => ((b - a) / 6) * (f(a) + 4 * f((a + b) / 2) + f(b))
export const integrate = task(import.meta, 'integrate', async (a, b, tolerance, ctx) => {
  const m = (a + b) / 2
  const whole = simpson(a, b), halves = simpson(a, m) + simpson(m, b)
  if (Math.abs(whole - halves) < 15 * tolerance) return halves
  const left = ctx.submit(integrate, a, m, tolerance / 2)
  const right = ctx.submit(integrate, m, b, tolerance / 2)
  return (await left.result()) + (await right.result())
})
export const column = task(import.meta, 'column', async (n) => new Float64Array(10_000).fill(n))
export const sum = task(import.meta, 'sum', async (columns) => columns.reduce((all, column) => all + column[0], 0))
export const sumOfMap = task(import.meta, 'sumOfMap', async (count, ctx) => {
  const columns = await ctx.gather(ctx.map(column, Array.from({ length: count }, (_, n) => n)))
  return columns.reduce((all, column) => all + column.length * column[0], 0)
})
export const total = task(import.meta, 'total', async (count, ctx) => {
  const columns = ctx.map(column, Array.from({ length: count }, (_, n) => n))
  return await ctx.submit(sum, columns).result()
})
export const fail = task(import.meta, 'fail', async () => { throw new RangeError('no bracket') })
export const forgiving = task(import.meta, 'forgiving', async (ctx) => {
  try { return await ctx.submit(fail).result() }
  catch (error) { return { kind: error.kind, message: error.message, isTaskError: error instanceof TaskError } }
})
export const careless = task(import.meta, 'careless', async (ctx) => await ctx.submit(fail).result())
export const rest = task(import.meta, 'rest', async (marker, ctx) => {
  writeFileSync(marker, '')
  try { await sleep(60_000, ctx.signal) } finally { writeFileSync(marker + '.stopped', '') }
  return 1
})
export const guard = task(import.meta, 'guard', async (marker, ctx) => await ctx.submit(rest, marker).result())
export const logged = task(import.meta, 'logged', async (log, what) => { appendFileSync(log, what + ' '); return what.length })
export const held = task(import.meta, 'held', async (log, marker) => {
  appendFileSync(log, 'held ')
  if (existsSync(marker)) return 100
  writeFileSync(marker, '')
  await sleep(60_000)
})
export const survivor = task(import.meta, 'survivor', async (log, marker, ctx) => {
  const first = await ctx.submit(logged, log, 'one').result()
  const second = ctx.submit(held, log, marker)
  return first + (await second.result())
})
export const hasty = task(import.meta, 'hasty', async (ctx) => {
  setTimeout(() => {}, 10)
  globalThis.later = ctx
  return 1
})
export const endless = task(import.meta, 'endless', async (depth, ctx) => await ctx.submit(endless, depth + 1).result())
export const foreign = task(import.meta, 'foreign', async (ctx) => {
  const elsewhere = task(import.meta, 'elsewhere', async () => 1)
  return await ctx.submit(elsewhere).result()
})
export const slow = task(import.meta, 'slow', async (ms, ctx) => { await sleep(ms, ctx.signal); return ms })
export const fastest = task(import.meta, 'fastest', async (ctx) => await ctx.race(ctx.map(slow, [50, 60_000])))
export const flaky = task(import.meta, 'flaky', async (log) => {
  appendFileSync(log, 'flaky ')
  const { readFileSync } = await import('node:fs')
  if (readFileSync(log, 'utf8').split('flaky').length < 3) throw new Error('the first time')
  return 7
})
export const retried = task(import.meta, 'retried', async (log, ctx) => {
  const done = await ctx.submit(logged, log, 'done').result()
  return done + (await ctx.submit(flaky, log).result())
})
`

// Who waits for long here is on a busy machine: hundreds of tasks follow each other, and each that waits in a process has another one started.
describe.each(['thread', 'process'] as const)('on one slot, with --executor %s', { timeout: 180_000 }, (executor) => {
  let mesh: LocalMesh
  let tasks: Tasks
  const fileIn = (name: string): string => path.join(mesh.userDir, name)

  beforeAll(async () => {
    process.env['COSTATE_MAX_WAITING'] = '16'
    mesh = await startLocalMesh({ workers: 1, threadsPerWorker: 1, executor })
    delete process.env['COSTATE_MAX_WAITING']
    tasks = await mesh.importModule<Tasks>('tasks.mjs', source)
  })
  afterAll(async () => mesh.close())

  test('a recursion comes to its end', async () => {
    expect(await mesh.cluster.submit(tasks.fib, 8).result()).toBe(21)
  })

  test('no more of its tasks wait than it is deep, however wide it is', async () => {
    const futures = mesh.cluster.map(tasks.nest, Array<number>(40).fill(2), Array<number>(40).fill(5))
    expect(await mesh.cluster.gather(futures)).toEqual(Array(40).fill(25))
  })

  test('results are those of an inline cluster, to the last bit', async () => {
    const inline = createInlineCluster()
    const args = [-2, 2, 1e-4] as const
    const expected = await inline.submit(tasks.integrate, ...args).result()
    expect(Math.abs(expected)).toBeLessThan(1e-2)
    expect(await mesh.cluster.submit(tasks.integrate, ...args).result()).toBe(expected)
    for (const name of ['sumOfMap', 'total'] as const) {
      const value = await inline.submit(tasks[name], 5).result()
      expect(await mesh.cluster.submit(tasks[name], 5).result()).toBe(value)
    }
    await inline.close()
  })

  test('the failure of a child reaches who waits for it, and may be caught', async () => {
    const caught = await mesh.cluster.submit(tasks.forgiving).result()
    expect(caught).toMatchObject({ kind: 'userError', isTaskError: true })
    expect(caught.message).toContain('no bracket')
    const error = await rejectionOf(mesh.cluster.submit(tasks.careless).result())
    expect(error).toBeInstanceOf(TaskError)
    expect(error.message).toContain('no bracket')
  })

  test('the first result wins, and the other task is stopped', async () => {
    expect(await mesh.cluster.submit(tasks.fastest).result()).toBe(50)
  })

  test('to cancel a task stops what it submitted; meanwhile people see who waits for whom', async () => {
    const marker = fileIn('rest')
    const future = mesh.cluster.submit(tasks.guard, marker)
    await waitForFile(marker)
    expect(await mesh.cluster.explain(future)).toMatch(
      /without a slot, for what it submitted: job j-[0-9a-f]{16} \(rest\)/,
    )
    const events = (await mesh.cluster.story(future)).map(({ event }) => event)
    expect(events).toEqual(expect.arrayContaining(['childSubmitted', 'tasksWaited']))
    await future.cancel()
    await waitForFile(`${marker}.stopped`)
    expect((await rejectionOf(future.result())).message).toContain('was cancelled')
  })

  test('a timeout goes on while a task waits, and ends what it submitted', async () => {
    const marker = fileIn('timed')
    const future = mesh.cluster.with({ timeout: 3_000 }).submit(tasks.guard, marker)
    expect(await rejectionOf(future.result())).toMatchObject({ reason: 'TASK_TIMEOUT' })
    await waitForFile(`${marker}.stopped`)
  })

  test('a retry finds what is done, and tries what failed once more', async () => {
    const log = fileIn('retried.log')
    const future = mesh.cluster.with({ retry: { maxAttempts: 2, backoff: 10 } }).submit(tasks.retried, log)
    expect(await future.result()).toBe(11)
    expect(readFileSync(log, 'utf8')).toBe('done flaky flaky ')
  })

  test('a task of another module, or one that is not exported, is refused with what to do', async () => {
    const error = await rejectionOf(mesh.cluster.submit(tasks.foreign).result())
    expect(error.message).toContain("exports no task named 'elsewhere'")
  })

  test('a worker that is killed loses nothing that is done', async () => {
    const [log, marker] = [fileIn('survivor.log'), fileIn('held')]
    const future = mesh.cluster.submit(tasks.survivor, log, marker)
    await waitForFile(marker)
    const [worker] = await mesh.cluster.workers()
    process.kill(worker?.pid ?? 0, 'SIGKILL')
    expect(await future.result()).toBe(103)
    expect(readFileSync(log, 'utf8')).toBe('one held held ')
  })

  test('a recursion without an end fails with the reason', async () => {
    const error = await rejectionOf(mesh.cluster.submit(tasks.endless, 0).result())
    expect(error.message).toContain('16 tasks wait on this worker for tasks that they submitted')
  })
})
