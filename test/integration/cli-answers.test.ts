import { spawn } from 'node:child_process'
import path from 'node:path'
import { createInterface } from 'node:readline'

import { afterAll, beforeAll, expect, test } from 'vitest'

import type { Task } from 'costate'

import { type LocalMesh, packageRoot, startLocalMesh } from '../harness/local-mesh.js'
import { type ProgramEnd, runToEnd } from '../harness/program.js'

interface Module {
  readonly big: Task<[number], Float64Array>
  readonly total: Task<[Float64Array], number>
  readonly fail: Task<[number], never>
  readonly hold: Task<[string], string>
  readonly unlike: Task<[], number>
}

const source = `
import { existsSync, watch } from 'node:fs'
import { dirname } from 'node:path'
import { task } from 'costate'
export const big = task(import.meta, 'big', async (n, ctx) => {
  console.log('drawing', n)
  return Float64Array.from({ length: n }, () => ctx.rng.uniform())
})
export const total = task(import.meta, 'total', async (xs) => xs.reduce((a, b) => a + b, 0))
export const fail = task(import.meta, 'fail', async (x) => { throw new RangeError('x is ' + x) })
export const hold = task(import.meta, 'hold', (file, ctx) => {
  ctx.log.warn('holding on')
  return new Promise((resolve) => {
    const watcher = watch(dirname(file), () => look())
    const look = () => {
      if (!existsSync(file) && !ctx.signal.aborted) return
      watcher.close()
      resolve(file)
    }
    ctx.signal.addEventListener('abort', look)
    look()
  })
})
export const unlike = task(import.meta, 'unlike', async () => process.pid)
`

const program = path.join(packageRoot, 'dist', 'libs', 'cli', 'main.js')
let mesh: LocalMesh
let tasks: Module

beforeAll(async () => {
  mesh = await startLocalMesh({ workers: 1 })
  tasks = await mesh.importModule<Module>('tasks.mjs', source)
})
afterAll(() => mesh.close())

async function costate(...args: string[]): Promise<ProgramEnd> {
  return await runToEnd(process.execPath, [program, ...args], { cwd: mesh.userDir })
}

async function costateJson<T>(...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await costate(...args, '--json')
  if (code !== 0) throw new Error(`costate ${args.join(' ')} ended with ${code ?? 'a signal'}: ${stderr}`)
  return JSON.parse(stdout) as T
}

/** A task that runs until somebody asks it to stop, and one that waits behind it. */
async function occupy() {
  const holding = mesh.cluster.submit(tasks.hold, path.join(mesh.userDir, 'never'))
  const waiting = mesh.cluster.submit(tasks.total, mesh.cluster.submit(tasks.big, 10))
  await waiting.job.submitted
  while (!(await mesh.cluster.explain(holding)).includes('has run on')) await new Promise(setImmediate)
  return { holding, waiting }
}

test('a task is explained, told of, listed and cancelled, by the program and by the command', async () => {
  const { cluster } = mesh
  const { holding, waiting } = await occupy()

  expect(await cluster.explain(waiting)).toMatch(
    /\(total\) waits for its input: j-.*\/0 \(big\), which is number 1 of 1/,
  )
  const { stdout } = await costate('explain', holding.id)
  expect(stdout).toMatch(/^task .* \(hold\) has run on w-\S+ \(.*\) for .* as attempt 1\n$/)
  expect(await costateJson('tasks', holding.job.id, '--state', 'running')).toMatchObject([
    { taskId: holding.id, name: 'hold', state: 'running', attempt: 1 },
  ])
  expect(await costateJson('jobs', '--state', 'running')).toHaveLength(3)
  expect(await costateJson('workers')).toMatchObject([{ slots: 1, assignedTasks: 1, state: 'ready' }])
  const top = await costateJson<{ jobs: unknown[]; tasksPerSecond: number }>('top', '--interval', '0.2')
  expect(top).toMatchObject({ mesh: 'test', tasksPerSecond: 0 })
  expect(top.jobs).toHaveLength(3)

  expect((await costate('cancel', holding.id, '--reason', 'enough')).stdout).toBe(`task ${holding.id} is cancelled\n`)
  await waiting.result()
  expect((await cluster.story(holding)).map(({ event }) => event)).toEqual([
    'jobSubmitted',
    'runTask',
    'tasksStarted',
    'cancelRequested',
    'cancelAttempt',
    'taskSettled',
  ])
  const lines = (await costate('story', holding.id)).stdout.trimEnd().split('\n')
  expect(lines.map((line) => line.split('\t').length)).toEqual(Array(7).fill(5))
  expect(lines.at(-1)).toContain('was cancelled: enough')
  expect(await costateJson('cancel', holding.job.id)).toMatchObject({ cancelled: 0 })
})

test('a long list comes in pages', async () => {
  const futures = mesh.cluster.map(tasks.total, [new Float64Array(1), new Float64Array(1), new Float64Array(1)])
  await mesh.cluster.gather(futures)
  const jobId = futures[0]?.job.id ?? ''

  const first = await costate('tasks', jobId, '--limit', '2', '--json')
  const { more } = JSON.parse(first.stderr) as { more: { nextPage: string } }
  const second = await costateJson('tasks', jobId, '--limit', '2', '--page', more.nextPage)

  expect(JSON.parse(first.stdout)).toMatchObject([{ taskId: `${jobId}/0` }, { taskId: `${jobId}/1` }])
  expect(second).toMatchObject([{ taskId: `${jobId}/2` }])
})

test('a task runs again in the process of the command, and its end is compared', async () => {
  const { cluster } = mesh
  const large = cluster.submit(tasks.big, 100_000)
  const sum = cluster.submit(tasks.total, large)
  const bad = cluster.submit(tasks.fail, 7)
  const unlike = cluster.submit(tasks.unlike)
  await sum.result()
  await Promise.all([bad.settled(), unlike.settled()])

  const rerun = await costate('rerun', large.id, '--inline')
  expect(rerun).toMatchObject({ code: 0, stderr: 'drawing 100000\n' })
  expect(rerun.stdout).toMatch(/^task .* \(big\) finished in .*\nFloat64Array\(100000\)[^]*\nsame: .* bit for bit\n$/)
  expect(await costateJson('rerun', sum.id, '--inline')).toMatchObject({ comparison: { verdict: 'same' } })
  const failing = await costate('rerun', bad.id, '--inline')
  expect(failing.stdout).toMatch(
    /\(fail\) failed after .*:\nRangeError: x is 7\n.*tasks\.mjs:\d+:\d+\)\nsame: .* in the same way\n$/,
  )
  expect(await costate('rerun', unlike.id, '--inline')).toMatchObject({
    code: 1,
    stdout: expect.stringContaining('different: it finished on') as string,
    stderr: expect.stringContaining('ended otherwise than in the mesh') as string,
  })
})

test('logs of services and tasks are merged, filtered and followed', async () => {
  const future = mesh.cluster.submit(tasks.big, 3)
  await future.result()
  const { timing } = future
  const all = (await costate('logs')).stdout
  expect(all).toContain('\tscheduler serves')
  expect((await costate('logs', '--task', future.id)).stdout).toMatch(/\tinfo\tworker\tw-\S+\tj-\S+\/0#1\tdrawing 3\n$/)
  expect((await costate('logs', '--worker', timing?.workerId ?? '', '--job', 'j-no')).stdout).toBe('')

  const file = path.join(packageRoot, 'package.json')
  await mesh.cluster.submit(tasks.hold, file).result()
  const follower = spawn(process.execPath, [program, 'logs', '-f', '--tail', '1', '--level', 'warn', '--json'], {
    cwd: mesh.userDir,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: follower.stdout })[Symbol.asyncIterator]()
  expect(JSON.parse((await lines.next()).value as string)).toMatchObject({ level: 'warn', text: 'holding on' })
  const next = mesh.cluster.submit(tasks.hold, file)
  expect(JSON.parse((await lines.next()).value as string)).toMatchObject({ taskId: next.id, text: 'holding on' })
  follower.kill()
})

test('a worker that is drained leaves', async () => {
  const [worker] = await mesh.cluster.workers()

  expect((await costate('drain', worker?.id ?? '')).stdout).toMatch(/drains: it is idle and leaves\n$/)

  expect(await costate('drain', 'w-none')).toMatchObject({
    code: 3,
    stderr: expect.stringContaining('worker w-none is unknown or gone') as string,
  })
})

test('checkpoints: listed, shown, verified, pruned and removed, as text and as JSON', async () => {
  const { checkpoints } = mesh.cluster
  for (const cost of [3, 2, 1]) {
    const value = { x: Float64Array.from({ length: 100_000 }, (_, i) => i * cost) }
    await checkpoints.save('studies/a', value, { iteration: 10 - cost, cost, labels: { solver: 'ipm' } })
  }
  const listed = await costateJson<{ name: string; version: number; byteLength: number }[]>(
    'checkpoints',
    'list',
    'studies/',
  )
  expect(listed).toMatchObject([{ name: 'studies/a', version: 3, iteration: 9, cost: 1, labels: { solver: 'ipm' } }])
  expect(listed[0]?.byteLength).toBeGreaterThan(800_000)
  expect((await costate('checkpoints', 'list', '--all', '--label', 'solver=ipm')).stdout.split('\n')).toHaveLength(5)
  expect((await costate('checkpoints', 'show', 'studies/a', '--at', '2')).stdout).toMatch(/cost +2\n/)
  expect(await costate('checkpoints', 'show', 'studies/b')).toMatchObject({ code: 3 })

  expect(await costateJson('checkpoints', 'verify', 'studies/')).toMatchObject({ checked: 3, findings: [] })
  const pruned = await costateJson<{ freedBytes: number; versions: unknown[] }>(
    'checkpoints',
    'prune',
    'studies/',
    '--dry-run',
  )
  expect(pruned.versions).toHaveLength(2)
  expect(await costateJson('checkpoints', 'prune', 'studies/')).toMatchObject({ freedBytes: pruned.freedBytes })
  expect((await costate('checkpoints', 'rm', 'studies/a')).stdout).toContain('studies/a: 1 version removed')
  expect(await costateJson('checkpoints', 'list', 'studies/')).toEqual([])
})
