import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import type { Task } from 'costate'
import { expect, test } from 'vitest'

import { startLocalMesh } from '../harness/local-mesh.js'
import { addService } from '../harness/service.js'

interface Tasks {
  readonly wait: Task<[number], readonly number[]>
  readonly hold: Task<[string], readonly number[]>
  readonly meet: Task<[string, string], readonly number[]>
  readonly burn: Task<[number], string>
  readonly burnUntil: Task<[string], string>
  readonly save: Task<[], string>
}

const source = `
import { existsSync, writeFileSync } from 'node:fs'
import { task } from 'costate'
const until = async (path) => { while (!existsSync(path)) await new Promise((resolve) => setTimeout(resolve, 20)) }
export const wait = task(import.meta, 'wait', async (ms, ctx) => {
  await new Promise((resolve) => setTimeout(resolve, ms))
  return [...ctx.devices]
})
export const hold = task(import.meta, 'hold', async (path, ctx) => {
  if (path !== '') await until(path)
  return [...ctx.devices]
})
export const meet = task(import.meta, 'meet', async (own, other, ctx) => {
  writeFileSync(own, '')
  await until(other)
  return [...ctx.devices]
})
export const burn = task(import.meta, 'burn', async (ms, ctx) => {
  const untilMs = Date.now() + ms
  while (Date.now() < untilMs);
  return String(process.pid)
})
export const burnUntil = task(import.meta, 'burnUntil', async (path) => {
  const untilMs = Date.now() + 20
  while (Date.now() < untilMs || (path !== '' && !existsSync(path)));
  return path
})
export const save = task(import.meta, 'save', async (ctx) => {
  await ctx.checkpoint.save(1)
  return String(process.pid)
})
`

test('a task with a licence does not wait behind tasks that wait for a device (R7)', async () => {
  await using mesh = await startLocalMesh({ workers: 1, threadsPerWorker: 4, resources: { gpu: 1, licence: 1 } })
  const { hold } = await mesh.importModule<Tasks>('tasks.mjs', source)
  const { cluster, runDir } = mesh
  const end = join(runDir, 'end')
  const onGpu = cluster.with({ resources: { gpu: 1 }, priority: 1 })
  const [gpu1, gpu2] = [onGpu.submit(hold, end), onGpu.submit(hold, end)]
  const licensed = cluster.with({ resources: { licence: 1 } }).submit(hold, '')
  await gpu1.job.submitted
  expect(await cluster.explain(gpu2)).toContain('gpu')
  await licensed.settled()
  await writeFile(end, '')
  expect(await cluster.gather([gpu1, gpu2, licensed])).toEqual([[0], [0], []])
  expect((await cluster.workers()).map(({ resources }) => resources)).toEqual([{ gpu: 1, licence: 1 }])
})

test('tasks that run at the same time have different devices; a pinned one runs where it must', async () => {
  await using mesh = await startLocalMesh({ workers: 2, threadsPerWorker: 2, resources: { gpu: 2 } })
  const { meet, burn } = await mesh.importModule<Tasks>('tasks.mjs', source)
  const { cluster, runDir } = mesh
  const [worker] = await cluster.workers()
  if (worker === undefined) throw new Error('no worker is there')
  const there = cluster.with({ workers: [worker.id], resources: { gpu: 1 } })
  const [here, beside] = [join(runDir, 'here'), join(runDir, 'beside')]
  const devices = await cluster.gather(there.map(meet, [here, beside], [beside, here]))
  expect(devices.flat().sort()).toEqual([0, 1])
  const pids = await cluster.gather(cluster.with({ workers: [worker.id] }).map(burn, [1, 1, 1, 1, 1, 1]))
  expect(new Set(pids)).toEqual(new Set([String(worker.pid)]))
  const nowhere = cluster.with({ workers: ['w-nobody'] }).submit(burn, 1)
  await nowhere.job.submitted
  expect(await cluster.explain(nowhere)).toContain('it needs worker w-nobody, which is not there')
  expect(() => cluster.with({ resources: { cpu: 0 } }).submit(burn, 1)).toThrow('cpu is 0')
  expect(() => cluster.with({ priority: 0.5 }).submit(burn, 1)).toThrow('priority is 0.5')
})

test('no short task waits behind a long one (R10)', async () => {
  await using mesh = await startLocalMesh({ workers: 2, threadsPerWorker: 1 })
  const { hold } = await mesh.importModule<Tasks>('tasks.mjs', source)
  const end = join(mesh.runDir, 'end')
  const [long, ...short] = mesh.cluster.map(hold, [end, ...Array<string>(9).fill('')])
  expect(await mesh.cluster.gather(short)).toEqual(Array(9).fill([]))
  await writeFile(end, '')
  expect(await long?.result()).toEqual([])
})

test('what was sent ahead behind a task that turns out long goes to a worker that comes', async () => {
  await using mesh = await startLocalMesh({ workers: 1, threadsPerWorker: 1 })
  const { burnUntil } = await mesh.importModule<Tasks>('tasks.mjs', source)
  const { cluster, runDir } = mesh
  const short = ['', '', '']
  await cluster.gather(cluster.map(burnUntil, short))
  const end = join(runDir, 'end')
  const [long, ...others] = cluster.map(burnUntil, [end, ...short])
  await long?.job.submitted
  await cluster.scale(2)
  expect(await cluster.gather(others)).toEqual(short)
  await writeFile(end, '')
  await long?.result()
  expect(others.map(({ timing }) => timing?.workerId)).not.toContain(long?.timing?.workerId)
  expect(new Set((await cluster.workers()).map(({ state }) => state))).toEqual(new Set(['ready']))
})

test('results are heard while a task behind them in their slot takes for ever', async () => {
  await using mesh = await startLocalMesh({ workers: 1, threadsPerWorker: 1 })
  const { burnUntil } = await mesh.importModule<Tasks>('tasks.mjs', source)
  const { cluster, runDir } = mesh
  const short = ['', '', '']
  await cluster.gather(cluster.map(burnUntil, short))
  const end = join(runDir, 'end')
  const futures = cluster.map(burnUntil, [...short, end, ...short])
  expect(await cluster.gather(futures.slice(0, 3))).toEqual(short)
  await writeFile(end, '')
  expect(await cluster.gather(futures)).toEqual([...short, end, ...short])
})

test('a worker that ends soon gets no task that would outlast it, unless that saves checkpoints', async () => {
  await using mesh = await startLocalMesh({ workers: 1, threadsPerWorker: 1 })
  const { wait, burn, save } = await mesh.importModule<Tasks>('tasks.mjs', source)
  const { cluster } = mesh
  const [staying] = await cluster.gather([cluster.submit(burn, 1), cluster.submit(save)])
  const occupant = cluster.submit(wait, 600_000)
  await occupant.job.submitted
  // Its time is over already: it lasts for nothing that is known.
  const ending = await addService(mesh.meshDir, 'worker', [], { COSTATE_ENDS_AT: '1' })
  await cluster.waitForWorkers(2)
  const outlasting = cluster.submit(burn, 1)
  expect(await cluster.submit(save).result()).not.toBe(staying)
  expect(await cluster.explain(outlasting)).toContain('it waits for one that lasts longer')
  await occupant.cancel()
  expect(await outlasting.result()).toBe(staying)
  await ending.stop()
})
