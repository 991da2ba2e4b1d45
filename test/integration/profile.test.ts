import { readFile } from 'node:fs/promises'
import path from 'node:path'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { connect, createInlineCluster, createLocalCluster, flameGraph, type JobProfile, type Task } from 'costate'

import { type LocalMesh, packageRoot, startLocalMesh } from '../harness/local-mesh.js'
import { runToEnd } from '../harness/program.js'

interface Module {
  readonly spin: Task<[number, unknown?], number>
  readonly big: Task<[number], Float64Array>
  readonly total: Task<[Float64Array], number>
  readonly split: Task<[number], number>
  readonly flaky: Task<[number], number>
  readonly climb: Task<[number], number>
  readonly family: Task<[number], number>
}

const source = `
import { task } from 'costate'
export const spin = task(import.meta, 'spin', async (ms) => {
  const end = performance.now() + ms
  let x = 0
  while (performance.now() < end) x = Math.sin(x + 1)
  return ms
})
export const big = task(import.meta, 'big', async (n) => new Float64Array(n).fill(1))
export const total = task(import.meta, 'total', async (xs) => xs.reduce((a, b) => a + b, 0))
export const split = task(import.meta, 'split', async (n, ctx) => {
  const parts = await ctx.gather(ctx.map(spin, Array.from({ length: n }, () => 20)))
  return parts.reduce((a, b) => a + b, 0)
})
function hot(ms) {
  const end = performance.now() + ms
  let x = 0
  while (performance.now() < end) for (let i = 0; i < 1000; i++) x = Math.sin(x + i)
  return x
}
function cool(ms) {
  return hot(ms)
}
export const climb = task(import.meta, 'climb', async (ms) => hot(3 * ms) + cool(ms))
export const family = task(import.meta, 'family', async (ms, ctx) => (await ctx.gather(ctx.map(climb, [ms, ms]))).length)
export const flaky = task(import.meta, 'flaky', async (x, ctx) => {
  if (ctx.attempt === 1) throw new Error('the first attempt fails')
  return x
})
`

let mesh: LocalMesh
let tasks: Module

beforeAll(async () => {
  mesh = await startLocalMesh({ workers: 2 })
  tasks = await mesh.importModule<Module>('tasks.mjs', source)
})
afterAll(() => mesh.close())

const phaseOf = ({ phases }: JobProfile, name: string) => phases.find((phase) => phase.name === name)

/** What holds of each profile of a job that is settled and gathered. */
function checkSums(profile: JobProfile): void {
  const { phases, wallMs, computeMs, speedUp, slots, efficiency, criticalPath, workers } = profile
  expect(profile.isSettled).toBe(true)
  expect(speedUp).toBeCloseTo(computeMs / wallMs, 9)
  expect(efficiency).toBeCloseTo(speedUp / slots, 9)
  expect(phases.find(({ name }) => name === 'compute')?.totalMs).toBeCloseTo(computeMs, 6)
  expect(workers.reduce((sum, worker) => sum + worker.computeMs, 0)).toBeCloseTo(computeMs, 6)
  expect(criticalPath.lengthMs).toBeGreaterThan(0)
  expect(criticalPath.lengthMs).toBeLessThanOrEqual(wallMs)
  for (const { totalMs } of phases) expect(totalMs).toBeGreaterThanOrEqual(0)
}

test('a map of ten thousand tasks has its profile, and each task is in it', async () => {
  const { cluster } = mesh
  const futures = cluster.map(
    tasks.spin,
    Array.from({ length: 10_000 }, () => 0),
  )
  await cluster.gather(futures)

  const profile = await cluster.profile(futures[0]!.job)

  checkSums(profile)
  expect(profile).toMatchObject({ tasks: 10_000, ranTasks: 10_000, retriedTasks: 0, jobs: 1, slots: 2 })
  expect(profile.workers.reduce((sum, worker) => sum + worker.tasks, 0)).toBe(10_000)
  for (const { memory } of profile.workers) {
    expect(memory?.rssBytes).toBeGreaterThan(10e6)
    expect(memory?.peakRssBytes).toBeGreaterThanOrEqual(memory?.rssBytes ?? Infinity)
  }
  expect(phaseOf(profile, 'gather')?.tasks).toBe(1)
})

test('the critical path of a graph goes through its dependencies, and what they take is transferred', async () => {
  const { cluster } = mesh
  const ids = cluster.workers().then((workers) => workers.map(({ id }) => id))
  const [first, second] = await ids
  const result = cluster.graph((g) => {
    const short = g.with({ name: 'short' }).task(tasks.spin, 5)
    const long = g.with({ name: 'long' }).task(tasks.spin, 900)
    // Made on one worker and taken on the other.
    const made = g.with({ name: 'made', workers: [first!] }).task(tasks.big, 100_000)
    const taken = g.with({ name: 'taken', workers: [second!] }).task(tasks.total, made)
    return g.with({ name: 'join' }).task(tasks.spin, 30, [short, long, taken])
  })
  await cluster.gather([result])

  const profile = await cluster.profile(result.job)

  checkSums(profile)
  expect(profile.criticalPath.steps.map(({ name }) => name)).toEqual(['long', 'join'])
  expect(profile.criticalPath.lengthMs).toBeGreaterThanOrEqual(930)
  expect(phaseOf(profile, 'transfer')?.totalMs).toBeGreaterThan(0)
  expect(phaseOf(profile, 'waiting')?.totalMs).toBeGreaterThan(0)
  expect(profile.workers.reduce((sum, { inputBytes }) => sum + inputBytes, 0)).toBeGreaterThanOrEqual(800_000)
})

test('jobs that tasks submit count with theirs, and a wait for them is no computing', async () => {
  const { cluster } = mesh
  const future = cluster.submit(tasks.split, 6)
  expect(await future.result()).toBe(120)

  const profile = await cluster.profile(future.job.id)

  expect(profile).toMatchObject({ jobs: 2, tasks: 7, ranTasks: 7 })
  expect(phaseOf(profile, 'children')?.totalMs).toBeGreaterThan(20)
  expect(profile.computeMs).toBeGreaterThanOrEqual(120)
  expect(profile.criticalPath.steps[0]?.taskId).toBe(future.id)
  expect(profile.criticalPath.stepCount).toBe(2)
})

test('attempts that failed are a phase of their own', async () => {
  const cluster = mesh.cluster.with({ retry: { maxAttempts: 2, backoff: 20, jitter: 0 } })
  const future = cluster.submit(tasks.flaky, 7)
  await future.result()
  const profile = await cluster.profile(future.job)
  expect(profile.retriedTasks).toBe(1)
  expect(phaseOf(profile, 'retries')?.totalMs).toBeGreaterThanOrEqual(20)
})

test('a connected cluster and the command tell the same of a job', async () => {
  const futures = mesh.cluster.map(tasks.spin, [10, 20, 30])
  await mesh.cluster.gather(futures)
  const { id } = futures[0]!.job
  const connected = await connect('test')
  const own = await mesh.cluster.profile(id)
  const theirs = await connected.profile(id)
  await connected.close()
  const { gather: _, ...inTheirs } = Object.fromEntries(theirs.phases.map((phase) => [phase.name, phase]))
  expect(Object.fromEntries(own.phases.map((phase) => [phase.name, phase]))).toMatchObject(inTheirs)
  expect(theirs.notes).toEqual(['what the gather took is not known here: only the program that gathers measures it'])

  const program = path.join(packageRoot, 'dist', 'libs', 'cli', 'main.js')
  const json = await runToEnd(process.execPath, [program, 'profile', id, '--json'], { cwd: mesh.userDir })
  expect(JSON.parse(json.stdout)).toMatchObject({ jobId: id, computeMs: own.computeMs, ranTasks: 3 })
  const text = await runToEnd(process.execPath, [program, 'profile', id], { cwd: mesh.userDir })
  expect(text.stdout).toMatch(/^job \S+ \(spin\): 3 of 3 tasks ran\n/)
  expect(text.stdout).toMatch(/^compute\t/m)
  expect(text.stdout).toMatch(/the critical path is .* long, .* of the wall time, over 1 tasks:/)
  const unknown = await runToEnd(process.execPath, [program, 'profile', 'j-nobody'], { cwd: mesh.userDir })
  expect(unknown).toMatchObject({ code: 3, stderr: expect.stringContaining('unknown') as string })
})

test('an inline cluster profiles what there is to profile, and says what there is not', async () => {
  const inline = createInlineCluster()
  const result = inline.graph((g) => g.task(tasks.spin, 20, [g.task(tasks.spin, 30)]))
  await inline.gather([result])
  const profile = await inline.profile(result.job)
  checkSums(profile)
  expect(profile).toMatchObject({ tasks: 2, slots: 1, usedSlots: 1, criticalPath: { stepCount: 2 } })
  expect(profile.speedUp).toBeLessThanOrEqual(1)
  expect(profile.notes[0]).toContain('one task after the other in this process')

  const family = inline.submit(tasks.split, 3)
  await family.result()
  const withChildren = await inline.profile(family.job)
  expect(withChildren).toMatchObject({ jobs: 2, tasks: 4 })
  expect(withChildren.speedUp).toBeLessThanOrEqual(1.01)
  await expect(inline.profile('j-nobody')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  await inline.close()
})

/** Microseconds by function, with what it called; the place in the file is left out. */
function timesByFunction({ cpu }: JobProfile): Map<string, number> {
  const times = new Map<string, number>()
  for (const [stack, us] of cpu?.stacks ?? []) {
    for (const name of new Set(stack.map((place) => cpu?.frames[place]?.replace(/:\d+\)$/, ')') ?? ''))) {
      times.set(name, (times.get(name) ?? 0) + us)
    }
  }
  return times
}

test('a job that asks for it is sampled, and a flame graph of the user functions is drawn', async () => {
  const futures = mesh.cluster.with({ profile: 'cpu' }).map(tasks.climb, [100, 100, 100, 100])
  await mesh.cluster.gather(futures)
  const { job } = futures[0]!
  const profile = await mesh.cluster.profile(job)

  const times = timesByFunction(profile)
  expect([...times.keys()].filter((name) => !/^\S+ \(tasks\.mjs\)$|^\(garbage collector\)$/.test(name))).toEqual([])
  const hot = times.get('hot (tasks.mjs)') ?? 0
  const cool = times.get('cool (tasks.mjs)') ?? 0
  const all = profile.cpu!.stacks.reduce((sum, [, us]) => sum + us, 0)
  // Nearly all of it is in the task, a quarter below cool; what V8 has put into its caller counts there. On a busy machine samples come
  // in bursts.
  expect((times.get('(anonymous) (tasks.mjs)') ?? 0) / all).toBeGreaterThan(0.5)
  expect(hot / all).toBeGreaterThan(0.1)
  expect(cool / all).toBeGreaterThan(0.05)
  expect(cool / all).toBeLessThan(0.7)
  expect(flameGraph(profile.cpu!)).toContain('hot (tasks.mjs:')

  const program = path.join(packageRoot, 'dist', 'libs', 'cli', 'main.js')
  const files = ['--flame-graph', 'graph.svg', '--speedscope', 'graph.json']
  const written = await runToEnd(process.execPath, [program, 'profile', job.id, ...files], { cwd: mesh.userDir })
  expect(written).toMatchObject({ code: 0, stderr: '' })
  expect(await readFile(path.join(mesh.userDir, 'graph.svg'), 'utf8')).toContain('hot (tasks.mjs:')
  const { profiles } = JSON.parse(await readFile(path.join(mesh.userDir, 'graph.json'), 'utf8')) as {
    readonly profiles: readonly { readonly weights: readonly number[] }[]
  }
  expect(profiles[0]?.weights.length).toBe(profile.cpu?.stacks.length)
})

test('what a sampled task submits is sampled too; what nobody asked for is not', async () => {
  const future = mesh.cluster.with({ profile: 'cpu' }).submit(tasks.family, 60)
  await future.result()
  const sampled = await mesh.cluster.profile(future.job)
  expect(timesByFunction(sampled).get('hot (tasks.mjs)')).toBeGreaterThan(0)

  const plain = mesh.cluster.submit(tasks.climb, 1)
  await plain.result()
  expect((await mesh.cluster.profile(plain.job)).cpu).toBeUndefined()
  const program = path.join(packageRoot, 'dist', 'libs', 'cli', 'main.js')
  const refused = await runToEnd(process.execPath, [program, 'profile', plain.job.id, '--flame-graph', 'none.svg'], {
    cwd: mesh.userDir,
  })
  expect(refused).toMatchObject({ code: 3, stderr: expect.stringContaining("with({ profile: 'cpu' })") as string })
  expect(() => mesh.cluster.with({ profile: 'heap' as never }).submit(tasks.climb, 1)).toThrow("profile: 'heap'")
})

test('tasks in processes of their own, and those of an inline cluster, are sampled as well', async () => {
  const inline = createInlineCluster()
  const future = inline.with({ profile: 'cpu' }).submit(tasks.climb, 80)
  await future.result()
  expect(timesByFunction(await inline.profile(future.job)).get('hot (tasks.mjs)')).toBeGreaterThan(0)
  await inline.close()

  const cluster = await createLocalCluster({ workers: 1, executor: 'process' })
  const separate = cluster.with({ profile: 'cpu' }).submit(tasks.climb, 80)
  await separate.result()
  expect(timesByFunction(await cluster.profile(separate.job)).get('hot (tasks.mjs)')).toBeGreaterThan(0)
  await cluster.close()
})
