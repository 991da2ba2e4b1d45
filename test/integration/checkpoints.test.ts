import { randomUUID } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import path from 'node:path'

import { connect, type Task, type TaskFuture } from 'costate'
import { transform } from 'esbuild'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { createDynamicClient, readServiceAddress, readToken } from '../harness/dynamic-client.js'
import { type LocalMesh, packageRoot, rejectionOf, startLocalMesh } from '../harness/local-mesh.js'
import { waitForFile } from '../harness/marker-file.js'
import { addService } from '../harness/service.js'

interface Tasks {
  readonly solve: Task<[folder: string, steps: number, heeds: boolean], Float64Array>
  readonly zombie: Task<[folder: string], string>
  readonly overwrite: Task<[rounds: number], string>
}

/** A gradient descent that says each step that it takes, and where; it saves every ten. */
const source = `
import { appendFileSync, existsSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { task } from 'costate'
export const solve = task(import.meta, 'solve', async (folder, steps, heeds, ctx) => {
  const saved = await ctx.checkpoint.load()
  const x = saved?.state.x ?? Float64Array.from({ length: 1000 }, (_, i) => i / 7)
  for (let step = (saved?.iteration ?? 0) + 1; step <= steps; step++) {
    for (let i = 0; i < x.length; i++) x[i] -= 0.01 * Math.sin(x[i] + step)
    appendFileSync(folder + '/steps', step + ' ' + process.pid + ' ' + ctx.attempt + '\\n')
    if (step % 10 === 0) writeFileSync(folder + '/at-' + step, '')
    await sleep(10)
    void ctx.checkpoint.save({ x }, { iteration: step, cost: x[0], every: { iterations: 10 } })
    if (heeds) ctx.signal.throwIfAborted()
  }
  return x
}, { retries: 0 })
export const zombie = task(import.meta, 'zombie', async (folder, ctx) => {
  if (ctx.attempt > 1) {
    await ctx.checkpoint.save('successor')
    return 'done'
  }
  await ctx.checkpoint.save('first')
  writeFileSync(folder + '/first', '')
  await new Promise(() => undefined)
})
export const overwrite = task(import.meta, 'overwrite', async (rounds, ctx) => {
  for (let round = 1; round <= rounds; round++) {
    const state = new Float64Array(100_000 + 1_000 * (round % 50))
    const saves = []
    // More than are saved at a time, without giving the loop back; what was saved is overwritten at once.
    for (let k = 1; k <= 6; k++) {
      state.fill(10 * round + k)
      saves.push(ctx.checkpoint.save(state, { iteration: 10 * round + k }))
    }
    state.fill(-1)
    await Promise.all(saves)
    const { state: found, iteration } = await ctx.checkpoint.load()
    if (iteration !== 10 * round + 6) throw new Error('round ' + round + ' found iteration ' + iteration)
    if (found.length !== state.length) throw new Error('round ' + round + ' found ' + found.length + ' numbers')
    const wrong = found.findIndex((x) => x !== iteration)
    if (wrong >= 0) throw new Error('round ' + round + ' found ' + found[wrong] + ' at ' + wrong)
  }
  return ctx.jobId
})
`

let mesh: LocalMesh
let tasks: Tasks

beforeAll(async () => {
  mesh = await startLocalMesh({ workers: 2 })
  tasks = await mesh.importModule<Tasks>('solver.mjs', source)
})

afterAll(async () => mesh.close())

/** A folder for what a solve says of itself. */
async function newFolder(name: string): Promise<string> {
  const folder = path.join(mesh.userDir, name)
  await mkdir(folder)
  return folder
}

async function stepsIn(folder: string): Promise<{ step: number; pid: number; attempt: number }[]> {
  const lines = (await readFile(path.join(folder, 'steps'), 'utf8')).trim().split('\n')
  return lines.map((line) => {
    const [step = 0, pid = 0, attempt = 0] = line.split(' ').map(Number)
    return { step, pid, attempt }
  })
}

function bitsOf(x: Float64Array): string {
  return Buffer.from(x.buffer, x.byteOffset, x.byteLength).toString('hex')
}

test('a worker that is killed at 90 % of a solve: the next one repeats at most an interval, and the result is the same to the bit', async () => {
  const undisturbed = await mesh.cluster.submit(tasks.solve, await newFolder('undisturbed'), 100, false).result()
  const folder = await newFolder('killed')
  const future = mesh.cluster.submit(tasks.solve, folder, 100, false)
  await waitForFile(path.join(folder, 'at-90'))
  process.kill((await stepsIn(folder)).at(-1)!.pid, 'SIGKILL')
  expect(bitsOf(await future.result())).toBe(bitsOf(undisturbed))
  const steps = await stepsIn(folder)
  expect(new Set(steps.map(({ pid }) => pid)).size).toBe(2)
  const repeated = steps.length - 100
  expect(repeated).toBeGreaterThanOrEqual(0)
  expect(repeated).toBeLessThanOrEqual(11)
})

test('large states that are overwritten as soon as they are saved are the ones that were saved', async () => {
  const jobId = await mesh.cluster.submit(tasks.overwrite, 20).result()
  const name = `jobs/${jobId}/tasks/0`
  const versions = await mesh.cluster.checkpoints.list({ prefix: name, allVersions: true })
  expect(versions.length).toBeGreaterThan(1)
  for (const { version, iteration } of versions) {
    const { value } = (await mesh.cluster.checkpoints.load<Float64Array>(name, { version }))!
    expect(value.every((x) => x === iteration)).toBe(true)
  }
})

test('a worker that gets SIGTERM tells its task, which saves and goes on elsewhere, charged to nobody', async () => {
  const folder = await newFolder('terminated')
  const future = mesh.cluster.submit(tasks.solve, folder, 1_000, true)
  await waitForFile(path.join(folder, 'at-20'))
  process.kill((await stepsIn(folder)).at(-1)!.pid, 'SIGTERM')
  await expectGoneOn(folder, future, 1_000)
})

test('a worker that is drained with a time limit tells its task, which saves and goes on elsewhere, charged to nobody', async () => {
  await using drained = await startLocalMesh({ workers: 1, threadsPerWorker: 1, name: 'drained' })
  const { solve } = await drained.importModule<Tasks>('solver-2.mjs', source)
  const busy = drained.cluster.submit(solve, await newFolder('busy'), 300, false)
  const folder = await newFolder('drained')
  const future = drained.cluster.submit(solve, folder, 300, true)
  const worker = await addService(drained.meshDir, 'worker', ['--drain-timeout', '200ms'])
  await waitForFile(path.join(folder, 'at-20'))
  const { pid } = (await stepsIn(folder)).at(-1)!
  const leaving = (await drained.cluster.workers()).find((each) => each.pid === pid)
  const address = await readServiceAddress(drained.meshDir, 'scheduler')
  const client = createDynamicClient(address, await readToken(drained.meshDir, 'client'))
  const request = { worker_id: leaving?.id, request_id: randomUUID() }
  await client.call('costate.scheduler.v1.SchedulerService/DrainWorker', request)
  await expectGoneOn(folder, future, 300)
  await busy.result()
  client.close()
  await worker.stop()
})

/** The task saved when it was told, so that its second attempt took the next step and no other again. */
async function expectGoneOn(folder: string, future: TaskFuture<Float64Array>, count: number): Promise<void> {
  await future.result()
  const steps = await stepsIn(folder)
  expect(new Set(steps.map(({ pid }) => pid)).size).toBe(2)
  expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: count }, (_, i) => i + 1))
}

test('values are saved and found by name, and what was saved in between is not overwritten', async () => {
  const { checkpoints } = mesh.cluster
  const first = await checkpoints.save(
    'studies/s/best',
    { x: new Float64Array([1, 2]) },
    { cost: 3, labels: { by: 'me' } },
  )
  expect(first).toMatchObject({ name: 'studies/s/best', version: 1, cost: 3, labels: { by: 'me' } })
  await checkpoints.save('studies/s/best', { x: new Float64Array([3, 4]) }, { etag: first.etag })
  const refused = await rejectionOf(checkpoints.save('studies/s/best', 'late', { etag: first.etag }))
  expect(refused).toMatchObject({ code: 'ABORTED', reason: 'ETAG_MISMATCH' })
  const loaded = await checkpoints.load<{ x: Float64Array }>('studies/s/best')
  expect(loaded).toMatchObject({ version: 2, value: { x: new Float64Array([3, 4]) } })
  expect(await checkpoints.load('studies/s/best', { version: 1 })).toMatchObject({ cost: 3, labels: { by: 'me' } })
  expect(await checkpoints.load('studies/s/none')).toBeUndefined()
  expect(await checkpoints.describe('studies/s/none')).toBeUndefined()
  expect(await checkpoints.list({ prefix: 'studies/', allVersions: true })).toHaveLength(2)
  expect(await checkpoints.list({ labels: { by: 'me' } })).toMatchObject([{ version: 1 }])
  const wanted = await checkpoints.prune({ prefix: 'studies/', dryRun: true })
  expect(wanted.versions).toMatchObject([{ name: 'studies/s/best', version: 1 }])
  expect(await checkpoints.prune({ prefix: 'studies/' })).toEqual(wanted)
  expect(await checkpoints.delete('studies/s/best')).toBe(1)
})

test('who watches a prefix hears what there is and what becomes of it', async () => {
  const { checkpoints } = mesh.cluster
  await checkpoints.save('watched/a', 1)
  const heard: string[] = []
  for await (const change of checkpoints.watch('watched/')) {
    heard.push(change.kind === 'saved' ? `${change.checkpoint.name}@${change.checkpoint.version}` : `no ${change.name}`)
    if (heard.length === 1) await checkpoints.save('watched/b', 2)
    if (heard.length === 2) await checkpoints.delete('watched/a')
    if (heard.length === 3) break
  }
  expect(heard).toEqual(['watched/a@1', 'watched/b@1', 'no watched/a'])
})

test('the README’s solver survives the kill of its worker, with the result that it has undisturbed', async () => {
  const readme = await readFile(path.join(packageRoot, 'README.md'), 'utf8')
  const example = /<!-- test: readme-checkpoint -->\n```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? ''
  const { code } = await transform(example, { loader: 'ts' })
  const { descend } = await mesh.importModule<{ descend: Task<[number], Float64Array> }>('descent.mjs', code)
  const steps = 20_000
  const undisturbed = await descend(steps)
  const future = mesh.cluster.submit(descend, steps)
  let saves = 0
  for await (const change of mesh.cluster.checkpoints.watch(
    `jobs/${future.id.slice(0, future.id.lastIndexOf('/'))}/`,
  )) {
    if (change.kind === 'saved' && ++saves === 2) break
  }
  const running = /has run on (\S+)/.exec(await mesh.cluster.explain(future))?.[1]
  const worker = (await mesh.cluster.workers()).find(({ id }) => id === running)
  process.kill(worker!.pid, 'SIGKILL')
  expect(bitsOf(await future.result())).toBe(bitsOf(undisturbed))
})

test('solved points of a study are found by their parameters, also by another program', async () => {
  const { cluster } = mesh
  for (const [name, parameters] of [
    ['a', [1, 100]],
    ['b', [2, 300]],
    ['c', [9, 100]],
  ] as const) {
    await cluster.checkpoints.save(`studies/near/${name}`, Float64Array.from(parameters), { parameters, cost: 1 })
  }
  const other = await connect('test')
  const near = await other.checkpoints.nearest('studies/near', [1.9, 290], 2)
  expect(near.map(({ name }) => name)).toEqual(['studies/near/b', 'studies/near/a'])
  expect(near[0]).toMatchObject({
    parameters: [2, 300],
    cost: 1,
    distance: expect.closeTo(Math.hypot(0.1 / 8, 10 / 200), 9) as number,
  })
  expect((await other.checkpoints.load('studies/near/b'))?.value).toEqual(Float64Array.of(2, 300))
  await other.close()
})
