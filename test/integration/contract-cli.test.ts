import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { connect, type Task } from 'costate'

import { findMeshProcesses, meshDirOf } from '#libs/lifecycle'

import { type LocalMesh, packageRoot, startLocalMesh } from '../harness/local-mesh.js'
import { waitForFile } from '../harness/marker-file.js'
import { type ProgramEnd, runToEnd } from '../harness/program.js'

const tasksSource = `
import { task } from 'costate'
interface Scaling { readonly by: number }
export const scale = task(import.meta, 'scale', async (x: number, { by }: Scaling): Promise<number> => x * by)
export const scaleAll = task(import.meta, 'scaleAll', async (xs: Float64Array, { by }: Scaling) => xs.map((x) => x * by))
`

const program = path.join(packageRoot, 'dist', 'libs', 'cli', 'main.js')
/** A mesh of a program, whose temporary folders the command uses too. */
let mesh: LocalMesh

beforeAll(async () => {
  mesh = await startLocalMesh({ workers: 1 })
})

afterAll(async () => {
  await costate('down', 'lab')
  await mesh.close()
})

async function costate(...args: string[]): Promise<ProgramEnd> {
  return await runToEnd(process.execPath, [program, ...args], { cwd: mesh.userDir })
}

async function costateJson<T>(...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await costate(...args, '--json')
  if (code !== 0) throw new Error(`costate ${args.join(' ')} ended with ${code ?? 'a signal'}: ${stderr}`)
  return JSON.parse(stdout) as T
}

interface MeshJson {
  readonly name: string
  readonly state: string
  readonly runDir: string
  readonly workers: readonly { readonly pid: number; readonly slots: number; readonly memoryLimitBytes: number }[]
}

test('a mesh is started, used, looked at and ended by the command', async () => {
  const up = await costate(
    'up',
    '--name',
    'lab',
    '--workers',
    '2',
    '--threads-per-worker',
    '2',
    '--memory-limit',
    '2GB',
  )
  expect(up).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("mesh 'lab' runs with 2 workers and 4 slots") as string,
  })
  expect(await costate('up', '--name', 'lab')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('end it with costate down lab') as string,
  })

  const tasksFile = path.join(mesh.userDir, 'tasks.ts')
  await writeFile(tasksFile, tasksSource)
  expect(await costate('register', 'tasks.ts', '--as', 'scale@1', '--mesh', 'lab')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('choose one with --task') as string,
  })
  const registered = await costateJson('register', 'tasks.ts', '--task', 'scale', '--as', 'scale@1', '--mesh', 'lab')
  expect(registered).toEqual({ name: 'scale', version: '1', mesh: 'lab', task: 'scale', module: tasksFile })

  const cluster = await connect('lab')
  const future = cluster.submitRegistered('scale@1', 14, { by: 3 })
  expect(await future.result()).toBe(42)
  await cluster.close()

  const meshes = await costateJson<MeshJson[]>('status')
  expect(meshes.map(({ name, state, workers }) => [name, state, workers.length])).toEqual([
    ['lab', 'running', 2],
    ['test', 'running', 1],
  ])
  const lab = await costateJson<MeshJson>('status', 'lab')
  expect(lab.workers).toMatchObject(Array(2).fill({ slots: 2, memoryLimitBytes: 2e9, state: 'ready' }))

  const [job] = await costateJson<{ traceId: string }[]>('jobs', 'lab')
  expect(job).toMatchObject({
    jobId: future.job.id,
    name: 'scale@1',
    state: 'finished',
    tasks: { total: 1, finished: 1 },
  })

  expect(await costate('down', 'lab')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("mesh 'lab' is down") as string,
  })
  for (const { pid } of lab.workers) expect(() => process.kill(pid, 0)).toThrow('ESRCH')
  expect((await costateJson<MeshJson[]>('status')).map(({ name }) => name)).toEqual(['test'])

  // Services write their last spans when they end.
  const trace = await costateJson<{ traceId: string }>('trace', future.job.id, '--run', lab.runDir)
  expect(trace).toMatchObject({ jobId: future.job.id, traceId: job?.traceId, runDir: lab.runDir })
  const lines = (await costate('trace', future.job.id, '--run', lab.runDir)).stdout.split('\n')
  expect(lines[0]).toMatch(/^submit scale@1 .* client .* ms/)
  expect(lines.find((line) => line.includes('queue'))).toMatch(/ scheduler .* ms/)
  expect(lines.find((line) => line.includes('run scale'))).toMatch(/ worker .* ms/)
}, 120_000)

test('the trace of a job on a mesh that runs is found from anywhere', async () => {
  const { square } = await mesh.importModule<{ square: Task<[number], number> }>(
    'square.mjs',
    `import { task } from 'costate'
     export const square = task(import.meta, 'square', async (x) => x * x)`,
  )
  const cluster = await connect('test')
  const future = cluster.submit(square, 7)
  expect(await future.result()).toBe(49)
  // With this the client has written its spans.
  await cluster.close()

  const { code, stdout } = await costate('trace', future.job.id)

  expect(stdout).toMatch(/^submit square .* client .* ms/)
  expect(stdout).toContain(`trace ${future.job.traceId} in `)
  expect(code).toBe(0)
})

test('a mesh that was killed is told as ended, and the next one of that name starts', async () => {
  await costateJson('up', '--name', 'lab', '--workers', '1')
  for (const pid of await findMeshProcesses(meshDirOf('lab'))) process.kill(pid, 'SIGKILL')
  // Others are told of the end of a process only by looking: this is what the command does.
  const { stderr } = await costate('status', 'lab')
  expect(stderr).toContain("mesh 'lab' has ended: costate down lab removes what is left of it")

  await costateJson('up', '--name', 'lab', '--workers', '1')
  expect((await costateJson<MeshJson>('status', 'lab')).workers).toHaveLength(1)
})

test('jobs in a table for programs are lines with tabs', async () => {
  const { stdout } = await costate('jobs', 'test')

  const [titles, ...rows] = stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t'))
  expect(titles?.slice(0, 3)).toEqual(['JOB', 'NAME', 'STATE'])
  expect(rows).toEqual([expect.arrayContaining(['square', 'finished', '1'])])
})

test('what a task submits is listed with it, and is in the trace of its job', async () => {
  const { parent } = await mesh.importModule<{ parent: Task<[folder: string], number> }>(
    'family.mjs',
    `import { existsSync, watch, writeFileSync } from 'node:fs'
     import { task } from 'costate'
     export const child = task(import.meta, 'child', async (folder) => {
       writeFileSync(folder + '/begun', '')
       await new Promise((resolve) => {
         const look = () => existsSync(folder + '/go') && (watcher.close(), resolve())
         const watcher = watch(folder, look)
         look()
       })
       return 3
     })
     export const parent = task(import.meta, 'parent', async (folder, ctx) => 1 + (await ctx.submit(child, folder).result()))`,
  )
  const folder = path.join(mesh.userDir, 'family')
  await mkdir(folder)
  const cluster = await connect('test')
  const future = cluster.submit(parent, folder)
  await waitForFile(path.join(folder, 'begun'))
  const jobs = await costateJson<{ name: string; parentTaskId?: string; traceId: string }[]>('jobs', 'test')
  const { traceId } = future.job
  expect(jobs.find(({ parentTaskId }) => parentTaskId === future.id)).toMatchObject({ name: 'child', traceId })
  await writeFile(path.join(folder, 'go'), '')
  expect(await future.result()).toBe(4)
  await cluster.close()

  await expect
    .poll(async () => (await costate('trace', future.job.id)).stdout)
    .toMatch(/run parent .* worker .*[\s\S]*run child .* worker /)
}, 60_000)
