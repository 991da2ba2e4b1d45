import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { readdirSync } from 'node:fs'
import path from 'node:path'

import { connect, type Task } from 'costate'
import { afterEach, expect, test } from 'vitest'

import { type LocalMesh, startLocalMesh } from '../harness/local-mesh.js'
import { waitForFile } from '../harness/marker-file.js'

let mesh: LocalMesh
afterEach(async () => mesh.close())

interface Tasks {
  readonly note: Task<[folder: string, index: number], number>
  readonly wait: Task<[folder: string, index: number], number>
}

const source = `
import { appendFileSync, existsSync, watch, writeFileSync } from 'node:fs'
import { task } from 'costate'
const count = (folder, name) => appendFileSync(folder + '/runs-' + name, 'x')
export const note = task(import.meta, 'note', (folder, index) => {
  count(folder, index)
  return index * 2
})
export const wait = task(import.meta, 'wait', async (folder, index) => {
  count(folder, 'long-' + index)
  await new Promise((resolve) => {
    const look = () => existsSync(folder + '/go') && (watcher.close(), resolve())
    const watcher = watch(folder, look)
    look()
  })
  return -index
})
`

/** The process that serves, not the one that keeps it alive. */
async function schedulerPid(): Promise<number> {
  const text = await readFile(path.join(mesh.meshDir, 'addresses', 'scheduler.json'), 'utf8')
  return (JSON.parse(text) as { pid: number }).pid
}

async function killScheduler(): Promise<void> {
  const pid = await schedulerPid()
  process.kill(pid, 'SIGKILL')
  await expect.poll(schedulerPid).not.toBe(pid)
}

test('a scheduler that is killed in the middle of a map is invisible to the program: what ran is adopted, what ended is not run again', async () => {
  mesh = await startLocalMesh({ workers: 2, threadsPerWorker: 2 })
  const { note, wait } = await mesh.importModule<Tasks>('tasks.mjs', source)
  const folder = path.join(mesh.userDir, 'marks')
  await mkdir(folder)
  const { cluster } = mesh

  const long = cluster.map(wait, [folder, folder], [0, 1])
  for (const index of [0, 1]) await waitForFile(path.join(folder, `runs-long-${index}`))
  const indices = Array.from({ length: 2_000 }, (_, index) => index)
  const short = cluster.map(
    note,
    indices.map(() => folder),
    indices,
  )
  await short[200]!.result()
  await killScheduler()
  // They still run when the workers are linked again.
  await expect.poll(async () => (await cluster.workers()).length).toBe(2)
  // All are back: nothing is kept back for somebody who may still come.
  expect(await cluster.explain(short.at(-1)!)).not.toContain("scheduler's restart")
  await writeFile(path.join(folder, 'go'), '')
  expect(await cluster.gather(long)).toEqual([-0, -1])
  expect(await cluster.gather(short)).toEqual(indices.map((index) => index * 2))

  // Each left one mark per run.
  const marks = readdirSync(folder).filter((name) => name.startsWith('runs-'))
  expect(marks).toHaveLength(2_002)
  const runs = await Promise.all(marks.map(async (name) => (await readFile(path.join(folder, name), 'utf8')).length))
  expect(runs.filter((count) => count !== 1)).toEqual([])
  for (const index of [0, 1]) expect(long[index]!.timing?.attempt).toBe(1)

  // Somebody else finds the job by its id, with a third scheduler.
  await killScheduler()
  const other = await connect('test')
  try {
    const job = await other.attach(short[0]!.job.id)
    expect(await other.gather(job.futures)).toEqual(indices.map((index) => index * 2))
  } finally {
    await other.close()
  }
}, 120_000)

test('results that workers hold are known again after a restart, and are inputs as before', async () => {
  mesh = await startLocalMesh({ workers: 2 })
  const { ramp, total } = await mesh.importModule<{
    ramp: Task<[number], Float64Array>
    total: Task<[Float64Array, Float64Array], number>
  }>(
    'arrays.mjs',
    `import { task } from 'costate'
export const ramp = task(import.meta, 'ramp', (n) => Float64Array.from({ length: n }, (_, k) => k))
export const total = task(import.meta, 'total', (a, b) => a.length + b.length)
`,
  )
  const { cluster } = mesh
  const large = cluster.submit(ramp, 100_000)
  const scattered = await cluster.scatter(new Float64Array(50_000))
  await large.job.submitted
  await expect.poll(() => large.done).toBe(true)
  await killScheduler()
  expect(await cluster.submit(total, large, scattered).result()).toBe(150_000)
  expect((await large.result()).length).toBe(100_000)
  expect(large.timing?.attempt).toBe(1)
}, 60_000)

test('who asks, cancels or gives up a result while the scheduler is away is served when it is back', async () => {
  mesh = await startLocalMesh({ workers: 2 })
  const { note, wait } = await mesh.importModule<Tasks>('tasks.mjs', source)
  const folder = path.join(mesh.userDir, 'marks')
  await mkdir(folder)
  const { cluster } = mesh
  const endless = cluster.submit(wait, folder, 0)
  await waitForFile(path.join(folder, 'runs-long-0'))
  const done = cluster.submit(note, folder, 21)
  expect(await done.result()).toBe(42)

  const third = cluster.waitForWorkers(3)
  process.kill(await schedulerPid(), 'SIGKILL')
  const [workers] = await Promise.all([cluster.workers(), endless.cancel(), done.job.persist('kept')])
  done.release()
  expect(workers.length).toBeLessThanOrEqual(2)
  await expect(endless.result()).rejects.toThrow('cancelled')
  await Promise.all([third, cluster.scale(3)])
  // A pinned job keeps its result for the next who asks by the name.
  const other = await connect('test')
  try {
    const job = await other.attach('kept')
    expect(await other.gather(job.futures)).toEqual([42])
  } finally {
    await other.close()
  }
}, 60_000)

test('a task that waits for what it submitted goes on after a restart, and nothing runs twice', async () => {
  mesh = await startLocalMesh({ workers: 1 })
  const { parent } = await mesh.importModule<{ parent: Task<[folder: string, count: number], number> }>(
    'family.mjs',
    `${source}
export const parent = task(import.meta, 'parent', async (folder, count, ctx) => {
  appendFileSync(folder + '/runs-parent', 'x')
  const before = await ctx.submit(note, folder, 1000).result()
  const held = ctx.submit(wait, folder, 7)
  const rest = ctx.map(note, Array.from({ length: count }, () => folder), Array.from({ length: count }, (_, k) => k))
  // What no disk knows yet may run again after a crash.
  await Promise.all([held.job.submitted, rest[0].job.submitted])
  appendFileSync(folder + '/acknowledged', 'x')
  const sums = await ctx.gather([held, ...rest])
  return before + sums.reduce((sum, value) => sum + value, 0)
})
`,
  )
  const folder = path.join(mesh.userDir, 'marks')
  await mkdir(folder)
  const future = mesh.cluster.submit(parent, folder, 20)
  for (const name of ['runs-long-7', 'acknowledged']) await waitForFile(path.join(folder, name))
  await killScheduler()
  await writeFile(path.join(folder, 'go'), '')
  expect(await future.result()).toBe(2_000 - 7 + 2 * 190)
  const marks = readdirSync(folder).filter((name) => name.startsWith('runs-'))
  expect(marks).toHaveLength(23)
  const runs = await Promise.all(marks.map(async (name) => (await readFile(path.join(folder, name), 'utf8')).length))
  expect(runs.filter((count) => count !== 1)).toEqual([])
  expect(future.timing?.attempt).toBe(1)
}, 60_000)
