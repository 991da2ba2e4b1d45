import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

import { Complex128Array, NdArray, shared, type Task } from 'costate'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { anyArrayOf, anyValue, bitsOf } from '../../libs/value/any-value.fixture.js'
import { type LocalMesh, rejectionOf, startLocalMesh } from '../harness/local-mesh.js'

/** The class of the user, in a module of its own. */
const intervals = `
import { registerCodec } from 'costate'
export class Interval {
  constructor(low, high) { this.low = low; this.high = high }
  get middle() { return (this.low + this.high) / 2 }
  halves() { return [new Interval(this.low, this.middle), new Interval(this.middle, this.high)] }
}
registerCodec('interval', {
  test: (value) => value instanceof Interval,
  encode: ({ low, high }) => new Float64Array([low, high]),
  decode: ([low, high]) => new Interval(low, high),
})
`

const source = `
import { registerCodec, shared, task } from 'costate'
import { Interval } from './intervals.mjs'
class Tagged {
  constructor(tag, inner) { this.tag = tag; this.inner = inner }
}
registerCodec('tagged', {
  test: (value) => 'tag' in value && 'inner' in value,
  encode: ({ tag, inner }) => ({ tag, inner }),
  decode: ({ tag, inner }) => new Tagged(tag, inner),
})
export const echo = task(import.meta, 'echo', async (x) => x)
export const halve = task(import.meta, 'halve', (all) => all.map((each) => each.halves()))
export const middle = task(import.meta, 'middle', async (interval, ctx) => {
  await ctx.checkpoint.save({ interval })
  const { state } = await ctx.checkpoint.load()
  const [halves] = await ctx.submit(halve, [state.interval]).result()
  return halves[1].low
})
export const conjugate = task(import.meta, 'conjugate', (z) => {
  for (let i = 0; i < z.data.length; i++) z.data.set({ ...z.data.get(i), im: -z.data.get(i).im }, i)
  return z
})
export const change = task(import.meta, 'change', (xs) => { xs[0] += 1; return xs[0] })
export const place = task(import.meta, 'place', (xs) => [xs.buffer instanceof SharedArrayBuffer, xs[0]])
export const changeShared = task(import.meta, 'changeShared', async (n, ctx) => {
  const made = ctx.submit(grow, n)
  return await ctx.submit(change, shared(made)).result()
})
export const grow = task(import.meta, 'grow', (n) => new Float64Array(n).fill(5))
`

/** A task of a module that lacks the codec. */
const bare = `
import { task } from 'costate'
export const look = task(import.meta, 'look', (x) => typeof x)
`

interface Interval {
  readonly low: number
  readonly high: number
}

interface Tasks {
  readonly echo: Task<[unknown], unknown>
  readonly halve: Task<[Interval[]], Interval[][]>
  readonly middle: Task<[Interval], number>
  readonly conjugate: Task<[NdArray<Complex128Array>], NdArray<Complex128Array>>
  readonly change: Task<[Float64Array], number>
  readonly place: Task<[Float64Array], [boolean, number]>
  readonly changeShared: Task<[number], number>
  readonly grow: Task<[number], Float64Array>
}

let mesh: LocalMesh
let tasks: Tasks
let Interval: new (low: number, high: number) => Interval

beforeAll(async () => {
  mesh = await startLocalMesh({ threadsPerWorker: 2 })
  const file = path.join(mesh.userDir, 'intervals.mjs')
  await writeFile(file, intervals)
  tasks = await mesh.importModule('tasks.mjs', source)
  ;({ Interval } = (await import(/* @vite-ignore */ pathToFileURL(file).href)) as never)
})

afterAll(async () => {
  await mesh.close()
})

test('values of a class travel by its codec: arguments, results, scattered, checkpoints, children', async () => {
  const { cluster } = mesh
  const unit = new Interval(0, 1)
  const scattered = await cluster.scatter([unit], { broadcast: true })
  expect(await scattered.result()).toStrictEqual([unit])
  const halves = await cluster.submit(tasks.halve, scattered).result()
  expect(halves).toStrictEqual([[new Interval(0, 0.5), new Interval(0.5, 1)]])
  const many = await cluster
    .submit(
      tasks.halve,
      Array.from({ length: 2_000 }, () => unit),
    )
    .result()
  expect(many[1_999]).toStrictEqual(halves[0])
  expect(await cluster.submit(tasks.middle, unit).result()).toBe(0.5)
})

test('a task whose module lacks the codec says which, and what to do', async () => {
  const { look } = await mesh.importModule<{ look: Task<[unknown], string> }>('bare.mjs', bare)
  const scattered = await mesh.cluster.scatter({ span: new Interval(0, 1) })
  for (const [argument, what] of [
    [[new Interval(0, 1)], 'an argument'],
    [scattered, `input ${scattered.id}`],
  ] as const) {
    const future = mesh.cluster.submit(look, argument)
    const error = await rejectionOf(future.result())
    expect(error).toMatchObject({ kind: 'input', reason: 'UNKNOWN_CODEC' })
    expect(error.message).toContain(
      `${what} of task look (${future.id}) was encoded by codec 'interval', which is not registered here: ` +
        "call registerCodec('interval', …) in the task's module",
    )
  }
})

test('a scattered value of a large structure comes back, and goes through a task', async () => {
  const value = { names: Array.from({ length: 20_000 }, (_, i) => `candidate ${i}`), grid: new Float64Array([1, -0]) }
  const scattered = await mesh.cluster.scatter(value, { broadcast: true })
  expect(await scattered.result()).toStrictEqual(value)
  expect(await mesh.cluster.submit(tasks.echo, scattered).result()).toStrictEqual(value)
})

test('complex numbers go through a task', async () => {
  const z = new NdArray(new Complex128Array(new Float64Array([1, 2, NaN, -0])), [2, 1])
  const back = await mesh.cluster.submit(tasks.conjugate, z).result()
  expect([back.shape, back.data.data]).toEqual([[2, 1], new Float64Array([1, -2, NaN, 0])])
  const long = new NdArray(new Complex128Array(30_000), [3, 10_000])
  const scattered = await mesh.cluster.scatter(long)
  expect(bitsOf(await scattered.result())).toEqual(bitsOf(long))
  expect((await mesh.cluster.submit(tasks.conjugate, scattered).result()).shape).toEqual([3, 10_000])
})

test('two tasks of one worker that take one scattered buffer have a copy each, unless they share it', async () => {
  const { cluster } = mesh
  const [worker] = await cluster.workers()
  const pinned = cluster.with({ workers: [worker!.id] })
  const scattered = await cluster.scatter(new Float64Array(100_000).fill(5), { workers: [worker!.id] })
  const all = Array.from({ length: 8 }, () => scattered)
  expect(await cluster.gather(pinned.map(tasks.change, all))).toEqual(all.map(() => 6))
  expect(((await scattered.result()) as Float64Array)[0]).toBe(5)

  const places = await cluster.gather(
    pinned.map(
      tasks.place,
      all.map((each) => shared(each)),
    ),
  )
  expect(places).toEqual(all.map(() => [true, 5]))
  expect(await pinned.submit(tasks.place, scattered).result()).toEqual([false, 5])
  const argument = new Float64Array(10).fill(5)
  expect(await pinned.submit(tasks.place, shared(argument)).result()).toEqual([true, 5])
})

test.each(['thread', 'process'] as const)(
  'with inputs verified, a task that changes what it shares is named: executor %s',
  async (executor) => {
    await using own = await startLocalMesh({ workers: 1, executor, verifyInputs: true, name: `verify-${executor}` })
    const { cluster } = own
    const scattered = await cluster.scatter(new Float64Array(100_000).fill(5))
    const spoilt = cluster.submit(tasks.change, shared(scattered))
    const error = await rejectionOf(spoilt.result())
    expect(error).toMatchObject({ kind: 'userError', reason: 'SHARED_INPUT_CHANGED' })
    expect(error.message).toContain(`task change (${spoilt.id}) changed its shared input ${scattered.id}`)
    expect(await cluster.submit(tasks.place, shared(scattered)).result()).toEqual([false, 5])
    expect(await cluster.submit(tasks.change, scattered).result()).toBe(6)
    const child = await rejectionOf(cluster.submit(tasks.changeShared, 10_000).result())
    expect(child.message).toContain('changed its shared input')
  },
)

/** Now and then arrays of several chunks. */
const largeArray = anyArrayOf(
  fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 30_000, max: 130_000 })).map((shape) => [...shape]),
)

test('any value comes back bit for bit, scattered, as an argument and through a task', async () => {
  const value = fc.oneof({ weight: 6, arbitrary: anyValue }, { weight: 1, arbitrary: largeArray })
  await fc.assert(
    fc.asyncProperty(value, async (sent) => {
      const scattered = await mesh.cluster.scatter(sent)
      const echoed = mesh.cluster.submit(tasks.echo, scattered)
      const direct = mesh.cluster.submit(tasks.echo, [sent])
      const values = await Promise.all([scattered.result(), echoed.result(), direct.result()])
      expect(values.map(bitsOf)).toEqual([sent, sent, [sent]].map(bitsOf))
      for (const handle of [scattered, echoed, direct]) handle.release()
    }),
    { numRuns: 60, interruptAfterTimeLimit: 40_000 },
  )
})
