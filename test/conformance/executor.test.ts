import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { describe, expect, test } from 'vitest'

import { keyOf } from '../../services/worker/core/state.js'
import type { FetchedInput } from '../../services/worker/objects/fetched-input.js'
import { copySegments, encodeValue, packStructure } from '#libs/value'

import { type ExecutorLab, LabInput, startExecutorLab } from '../harness/executor-lab.js'
import { waitForFile } from '../harness/marker-file.js'

const source = `
import { execFileSync } from 'node:child_process'
import { existsSync, watch, writeFileSync } from 'node:fs'
import { task } from 'costate'
const forever = () => new Promise((resolve) => setTimeout(resolve, 1e9))
export const add = task(import.meta, 'add', (a, b) => a + b)
export const fail = task(import.meta, 'fail', (text) => { throw new RangeError(text, { cause: new Error('deeper') }) })
export const spin = task(import.meta, 'spin', () => { for (;;); })
export const wait = task(import.meta, 'wait', forever)
export const obey = task(import.meta, 'obey', (ctx) => new Promise((_, reject) => {
  ctx.signal.throwIfAborted()
  ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason))
}))
export const block = task(import.meta, 'block', (seconds, marker) => {
  writeFileSync(marker, '')
  execFileSync('sleep', [String(seconds)])
})
export const exit = task(import.meta, 'exit', (code) => { console.log('about to leave'); process.exit(code) })
export const kill = task(import.meta, 'kill', (signal) => { console.log('about to die'); process.kill(process.pid, signal); for (;;); })
export const abort = task(import.meta, 'abort', () => { process.stdout.write('raw words\\n'); process.abort() })
export const throwLater = task(import.meta, 'throwLater', () => { setTimeout(() => { throw new TypeError('too late') }, 1); return forever() })
export const ramp = task(import.meta, 'ramp', (n) => Float64Array.from({ length: n }, (_, i) => i))
export const text = task(import.meta, 'text', (n) => 'é'.repeat(n))
export const changed = task(import.meta, 'changed', (xs) => { xs[0] += 1; return xs[0] })
export const both = task(import.meta, 'both', (mine, shared) => { mine[0] = 7; return [mine[0], shared[0]] })
export const isCommon = task(import.meta, 'isCommon', (xs) => xs.buffer instanceof SharedArrayBuffer)
export const spoil = task(import.meta, 'spoil', (xs) => { xs[0] = 0; throw new RangeError('no root') })
export const readTwice = task(import.meta, 'readTwice', async (xs, folder) => {
  const before = xs[0]
  await new Promise((resolve) => {
    const look = () => existsSync(folder + '/go') && (watcher.close(), resolve())
    const watcher = watch(folder, look)
    writeFileSync(folder + '/begun', '')
    look()
  })
  return [before, xs[0]]
})
export const talk = task(import.meta, 'talk', (ctx) => { console.log('a line'); ctx.log.warn('a warning'); return ctx.taskId })
export const dieAt = task(import.meta, 'dieAt', (i, at) => { if (i === at) process.exit(7); return i })
export const grow = task(import.meta, 'grow', async () => {
  const kept = []
  for (;;) {
    kept.push(Buffer.alloc(20e6, 1))
    await new Promise((resolve) => setImmediate(resolve))
  }
})
`

/** A value that tasks may refer to as `o-1`, as the worker holds it. */
const inputOf = (value: unknown) => {
  const encoded = packStructure(encodeValue(value, 'the input'))
  const bytes = copySegments(encoded)
  const input: FetchedInput = { kind: 'body', structure: encoded.root, bytes }
  return { inputs: new Map([['o-1', input]]), bytes }
}

const failureOf = async (ended: Promise<unknown>) => ((await ended) as { failure: unknown }).failure

describe.each(['thread', 'process'] as const)('the %s executor', (kind) => {
  const start = (options = {}): Promise<ExecutorLab> => startExecutorLab(kind, source, options)

  test('runs a task, and says how one failed, with its causes', async () => {
    await using lab = await start()
    expect(await lab.run('add', [2, 3]).ended).toBe(5)
    expect(await failureOf(lab.run('fail', ['bad']).ended)).toMatchObject({
      kind: 'userError',
      reason: 'TASK_THREW',
      errorName: 'RangeError',
      message: 'bad',
      cause: { message: 'deeper' },
    })
    expect(lab.lost).toEqual([])
  })

  test('many short tasks in one line end in order', async () => {
    await using lab = await start()
    const args = Array.from({ length: 500 }, (_, i) => [i, 1])
    const sums = await Promise.all(lab.runAll('add', args).map(({ ended }) => ended))
    expect(sums).toEqual(args.map(([i = 0]) => i + 1))
  })

  test.each([
    ['a busy loop', 'spin'],
    ['an await that never ends', 'wait'],
  ])('%s that is stopped ends within the grace, and the slot goes on', async (_, taskName) => {
    await using lab = await start()
    const task = lab.run(taskName, [])
    const behind = lab.run('add', [1, 1])
    await task.started
    const askedAtMs = performance.now()
    lab.stop(task)
    expect(await failureOf(task.ended)).toMatchObject({ kind: 'cancelled', message: 'not wanted any more' })
    expect(performance.now() - askedAtMs).toBeLessThan(1_000 + 500)
    expect(await behind.ended).toBe(2)
  })

  test('a task takes the results of those before it in the line, each a value of its own', async () => {
    await using lab = await start()
    const ended: Promise<unknown>[] = []
    lab.runTogether((run) => {
      const small = run('add', [1, 1])
      const large = run('ramp', [10_000])
      const xs = new LabInput('xs')
      for (const taskName of ['changed', 'changed']) ended.push(run(taskName, [xs], { awaited: { xs: large } }).ended)
      ended.push(run('add', [new LabInput('two'), 3], { awaited: { two: small } }).ended)
    })
    expect(await Promise.all(ended)).toEqual([1, 1, 5])
    expect(lab.passedOver).toEqual([])
  })

  test('a task that comes when the one before has ended takes its result all the same, when it is small', async () => {
    await using lab = await start()
    const before = lab.run('add', [1, 1])
    await before.ended
    expect(await lab.run('add', [new LabInput('two'), 3], { awaited: { two: before } }).ended).toBe(5)
  })

  test('a task whose input is not made in the line is passed over, and so are those behind it', async () => {
    await using lab = await start()
    const failing = lab.run('fail', ['bad'])
    const second = lab.run('add', [new LabInput('x'), 1], { awaited: { x: failing } })
    const third = lab.run('add', [new LabInput('y'), 1], { awaited: { y: second } })
    expect(await failureOf(failing.ended)).toMatchObject({ reason: 'TASK_THREW' })
    expect(await lab.run('add', [1, 1]).ended).toBe(2)
    expect(lab.passedOver).toEqual([keyOf(second.order), keyOf(third.order)])
  })

  test('a task that hears that it is to stop keeps its slot; one in the line is dropped', async () => {
    await using lab = await start()
    const task = lab.run('obey', [])
    const behind = lab.run('add', [1, 1])
    await task.started
    lab.stop(behind)
    expect(await failureOf(behind.ended)).toMatchObject({ kind: 'cancelled' })
    lab.stop(task)
    await task.ended
    expect(lab.lost).toEqual([])
  })

  test('a task that runs longer than its timeout is ended, also one of a kind that was short so far', async () => {
    await using lab = await start()
    expect(await failureOf(lab.run('spin', [], { timeoutMs: 50 }).ended)).toMatchObject({
      kind: 'timeout',
      reason: 'TASK_TIMEOUT',
    })
    await lab.run('dieAt', [0, -1]).ended
    const hung = lab.run('obey', [], { timeoutMs: 50 })
    expect(await failureOf(hung.ended)).toMatchObject({ kind: 'timeout' })
  })

  test('a task that exits fails alone, with its last lines; what waits behind it runs', async () => {
    await using lab = await start()
    const task = lab.run('exit', [3])
    const behind = lab.run('add', [1, 1])
    const failure = (await failureOf(task.ended)) as { message: string }
    expect(failure).toMatchObject({ kind: 'userError', reason: 'TASK_EXITED' })
    expect(failure.message).toMatch(/process\.exit\(3\).*the last lines that it wrote:\nabout to leave$/s)
    expect(await behind.ended).toBe(2)
  })

  test('of many short tasks in a line only the one that ends the slot fails', async () => {
    await using lab = await start()
    await lab.run('dieAt', [0, -1]).ended
    const tasks = lab.runAll(
      'dieAt',
      Array.from({ length: 40 }, (_, i) => [i, 20]),
    )
    const ends = await Promise.all(tasks.map(({ ended }) => ended))
    expect(ends.filter((end) => typeof end === 'number')).toHaveLength(39)
    expect(ends[20]).toMatchObject({ failure: { reason: 'TASK_EXITED' } })
  })

  test('an error that nobody catches fails the task as thrown', async () => {
    await using lab = await start()
    expect(await failureOf(lab.run('throwLater', []).ended)).toMatchObject({
      kind: 'userError',
      errorName: 'TypeError',
      message: 'too late',
    })
  })

  test('large results come as they are', async () => {
    await using lab = await start()
    const [ramp, text] = [lab.run('ramp', [3_000_001]), lab.run('text', [2_000_000])]
    const values = (await ramp.ended) as Float64Array
    expect(values).toHaveLength(3_000_001)
    expect(values.findIndex((value, index) => value !== index)).toBe(-1)
    expect(await text.ended).toBe('é'.repeat(2_000_000))
  })

  test('what a task does to its input it does to its own copy', async () => {
    await using lab = await start({ slots: 2 })
    for (const length of [3, 1_000_000]) {
      const { inputs, bytes } = inputOf(new Float64Array(length).fill(5))
      const tasks = lab.runAll('changed', [[new LabInput('o-1')], [new LabInput('o-1')]], { inputs })
      tasks.push(lab.run('changed', [new LabInput('o-1')], { inputs, slot: 1 }))
      expect(await Promise.all(tasks.map(({ ended }) => ended))).toEqual([6, 6, 6])
      expect(new Float64Array(bytes.buffer)).toEqual(new Float64Array(length).fill(5))
    }
  })

  test('a task that shares an input sees what the others see, where memory can be shared', async () => {
    await using lab = await start({ slots: 2 })
    const { inputs, bytes } = inputOf(new Float64Array(1_000).fill(5))
    const shared = new LabInput('o-1', true)
    const isCommon = kind === 'thread'
    expect(await lab.run('isCommon', [shared], { inputs }).ended).toBe(isCommon)
    expect(await lab.run('isCommon', [new LabInput('o-1')], { inputs }).ended).toBe(false)
    expect(await lab.run('changed', [shared], { inputs }).ended).toBe(6)
    expect(await lab.run('changed', [shared], { inputs, slot: 1 }).ended).toBe(isCommon ? 7 : 6)
    // What the worker holds, and who does not share, are out of reach.
    expect(await lab.run('both', [new LabInput('o-1'), new LabInput('o-1')], { inputs }).ended).toEqual([7, 5])
    expect(await lab.run('changed', [new LabInput('o-1')], { inputs, slot: 1 }).ended).toBe(6)
    expect(new Float64Array(bytes.buffer)[0]).toBe(5)
  })

  test('with inputs verified, who changes what it shares fails, and nobody else feels it or is blamed', async () => {
    await using lab = await start({ slots: 2, verifyInputs: true })
    const { inputs } = inputOf(new Float64Array(1_000).fill(5))
    const shared = new LabInput('o-1', true)
    const folder = await mkdtemp(path.join(tmpdir(), 'costate-inputs-'))
    const innocent = lab.run('readTwice', [shared, folder], { inputs, slot: 1 })
    await waitForFile(path.join(folder, 'begun'))
    const culprit = lab.run('changed', [shared], { inputs })
    expect(await failureOf(culprit.ended)).toMatchObject({
      kind: 'userError',
      reason: 'SHARED_INPUT_CHANGED',
      message:
        `task changed (${culprit.order.taskId}) changed its shared input o-1: copy what is to be changed (xs.slice()), or pass ` +
        'the input without shared(), which gives the task a copy of its own',
    })
    await writeFile(path.join(folder, 'go'), '')
    expect(await innocent.ended).toEqual([5, 5])
    await rm(folder, { recursive: true })
    // Its own copy a task may change, also beside the shared one.
    expect(await lab.run('changed', [new LabInput('o-1')], { inputs }).ended).toBe(6)
    expect(await lab.run('both', [new LabInput('o-1'), shared], { inputs }).ended).toEqual([7, 5])
    expect(await failureOf(lab.run('spoil', [shared], { inputs }).ended)).toMatchObject({
      reason: 'SHARED_INPUT_CHANGED',
      cause: { errorName: 'RangeError', message: 'no root' },
    })
  })

  test('a small result that is shared is verified, too', async () => {
    await using lab = await start({ verifyInputs: true })
    const made = lab.run('ramp', [3])
    const task = lab.run('changed', [new LabInput('xs', true)], { awaited: { xs: made } })
    expect(await failureOf(task.ended)).toMatchObject({ reason: 'SHARED_INPUT_CHANGED' })
  })

  test('what a task writes has its ids', async () => {
    await using lab = await start()
    const task = lab.run('talk', [])
    expect(await task.ended).toBe(task.order.taskId)
    expect(lab.lines.map(({ level, text, taskId, attempt }) => [level, text, taskId, attempt])).toEqual([
      ['info', 'a line', task.order.taskId, 1],
      ['warn', 'a warning', task.order.taskId, 1],
    ])
  })
})

describe('the process executor', () => {
  const start = (options = {}): Promise<ExecutorLab> => startExecutorLab('process', source, options)

  test.each([
    ['abort', [], 'SIGABRT', 'raw words'],
    ['kill', ['SIGKILL'], 'SIGKILL', 'about to die'],
    ['kill', ['SIGSEGV'], 'SIGSEGV', 'about to die'],
  ])(
    'a process that dies (%s %j) fails its own task only, with the signal and the last lines',
    async (name, args, signal, words) => {
      await using lab = await start({ slots: 2 })
      const neighbour = lab.run('obey', [], { slot: 1, timeoutMs: 2_000 })
      await neighbour.started
      const failure = (await failureOf(lab.run(name, args).ended)) as { message: string }
      expect(failure).toMatchObject({ kind: 'workerLost', reason: 'TASK_PROCESS_LOST' })
      expect(failure.message).toContain(`was ended by ${signal}`)
      expect(failure.message).toContain(words)
      expect(await failureOf(neighbour.ended)).toMatchObject({ kind: 'timeout' })
      expect(lab.lost).toHaveLength(1)
    },
  )

  test('a task in a native call that is stopped ends within the grace, with what it started', async () => {
    await using lab = await start()
    const marker = path.join(tmpdir(), `costate-block-${randomUUID()}`)
    const task = lab.run('block', [60, marker])
    await waitForFile(marker)
    const askedAtMs = performance.now()
    lab.stop(task)
    expect(await failureOf(task.ended)).toMatchObject({ kind: 'cancelled' })
    expect(performance.now() - askedAtMs).toBeLessThan(1_000 + 500)
  })

  test('a task that takes more memory than there is fails with the figures, its neighbour goes on', async () => {
    await using lab = await start({ slots: 2, memoryLimitBytes: process.memoryUsage.rss() + 700e6 })
    const neighbour = lab.run('obey', [], { slot: 1, timeoutMs: 3_000 })
    const failure = (await failureOf(lab.run('grow', []).ended)) as { message: string }
    expect(failure).toMatchObject({ kind: 'outOfMemory', reason: 'MEMORY_LIMIT' })
    expect(failure.message).toMatch(/had \d+ MB of the worker's \d+ MB/)
    expect(await failureOf(neighbour.ended)).toMatchObject({ kind: 'timeout' })
  })
})

test('a thread that is stuck in a native call is said to be', async () => {
  await using lab = await startExecutorLab('thread', source)
  const marker = path.join(tmpdir(), `costate-block-${randomUUID()}`)
  const task = lab.run('block', [3, marker])
  await waitForFile(marker)
  lab.stop(task)
  expect(await lab.stuck).toMatchObject({ kind: 'cancelled', message: 'not wanted any more' })
})
