import { expect, test } from 'vitest'

import { registerCodec, shared, task } from '#libs/task'

import { createInlineCluster } from './inline-cluster.js'

class Interval {
  readonly low: number
  readonly high: number
  constructor(low: number, high: number) {
    this.low = low
    this.high = high
  }

  get width(): number {
    return this.high - this.low
  }
}

registerCodec('inline-inputs.interval', {
  test: (value) => value instanceof Interval,
  encode: ({ low, high }: Interval) => new Float64Array([low, high]),
  decode: ([low = 0, high = 0]) => new Interval(low, high),
})

const make = task(import.meta, 'make', (n: number) => new Float64Array(n).fill(5))
const change = task(import.meta, 'change', (xs: Float64Array) => (xs[0] = (xs[0] ?? 0) + 1))
const isCommon = task(import.meta, 'isCommon', (xs: Float64Array) => xs.buffer instanceof SharedArrayBuffer)
const halve = task(import.meta, 'halve', (intervals: Interval[]) =>
  intervals.map(({ low, high, width }) => [new Interval(low, low + width / 2), new Interval(low + width / 2, high)]),
)
const pass = task(import.meta, 'pass', async (interval: Interval, ctx) => {
  await ctx.checkpoint.save({ interval })
  const saved = await ctx.checkpoint.load<{ interval: Interval }>()
  const [[half]] = (await ctx.submit(halve, [saved!.state.interval]).result()) as [[Interval, Interval]]
  return half.width
})

test('what a task does to its input it does to its own copy, be it scattered, a result or an argument', async () => {
  const cluster = createInlineCluster()
  const made = cluster.submit(make, 3)
  const held = await made.result()
  const scattered = await cluster.scatter(held)
  for (const input of [made, scattered, held]) {
    expect(await cluster.gather(cluster.map(change, [input, input]))).toEqual([6, 6])
  }
  expect(held).toEqual(new Float64Array(3).fill(5))
  expect(await scattered.result()).toEqual(held)
})

test('a shared input is one for all tasks, and as it was for the others', async () => {
  const cluster = createInlineCluster()
  const made = cluster.submit(make, 3)
  const held = await made.result()
  const scattered = await cluster.scatter(held)
  for (const input of [shared(made), shared(scattered), shared(held)]) {
    expect(await cluster.submit(isCommon, input).result()).toBe(true)
    const seen = await cluster.gather(cluster.map(change, [input, input]))
    expect(seen).toEqual([6, 7])
  }
  expect(await cluster.gather([cluster.submit(change, made), cluster.submit(change, scattered)])).toEqual([6, 6])
  expect(held).toEqual(new Float64Array(3).fill(5))
})

test('with inputs verified, a task that changes what it shares fails, with its name', async () => {
  const cluster = createInlineCluster({ verifyInputs: true })
  const scattered = await cluster.scatter(new Float64Array([5]))
  const spoilt = cluster.submit(change, shared(scattered))
  await expect(spoilt.result()).rejects.toMatchObject({
    reason: 'SHARED_INPUT_CHANGED',
    message: expect.stringContaining(`task change (${spoilt.id}) changed its shared input ${scattered.id}`) as string,
  })
  expect(await cluster.submit(change, scattered).result()).toBe(6)
  expect(await scattered.result()).toEqual(new Float64Array([5]))
})

test('values of a class with a codec travel everywhere: arguments, results, scattered, checkpoints, children', async () => {
  const cluster = createInlineCluster()
  const unit = new Interval(0, 1)
  const scattered = await cluster.scatter([unit])
  expect(await scattered.result()).toStrictEqual([unit])
  const halves = cluster.submit(halve, scattered)
  expect(await halves.result()).toStrictEqual([[new Interval(0, 0.5), new Interval(0.5, 1)]])
  expect(await cluster.submit(pass, unit).result()).toBe(0.5)
})
