import { expect, test } from 'vitest'

import { createRng } from '#libs/domain'
import { wholeOf } from '#libs/memory'
import { isTaskContext } from '#libs/task'

import { maxLineUnits } from './line.js'
import { answerCall } from './slot-calls.js'
import { createSlotContext } from './slot-context.js'
import type { FromSlot, SlotTask } from './slot-messages.js'
import { SlotWaits } from './slot-waits.js'

const call = {
  kind: 'k',
  jobId: 'j-1',
  seed: 7n,
  bundlePath: '',
  bundleDigest: '',
  taskName: 'solve',
  verifyInputs: false,
}
const task: SlotTask = {
  key: 'j-1/3@1.2',
  taskId: 'j-1/3',
  index: 3,
  attempt: 2,
  call,
  input: new Uint8Array(0),
  inputs: new Map(),
  trace: {},
  timeoutMs: undefined,
  isDoubtful: false,
  isUrgent: false,
  claim: -1,
  devices: [],
}

function createContext(stop = new AbortController(), times: Partial<SlotTask> = {}, quietUntilMs = 0) {
  const said: FromSlot[] = []
  const say = (message: FromSlot): void => void said.push(message)
  const waits = new SlotWaits(stop, { awaits: () => undefined, woke: () => undefined })
  const ports = {
    task: { ...task, ...times },
    stop,
    waits,
    quietUntilMs,
    check: () => undefined,
    codecs: new Map(),
    say,
  }
  return { context: createSlotContext(ports), said, stop }
}

test('a task knows who it is, and its context is one', () => {
  const { context } = createContext()
  expect(isTaskContext(context)).toBe(true)
  expect(context).toMatchObject({ taskId: 'j-1/3', jobId: 'j-1', taskIndex: 3, attempt: 2, deadline: undefined })
})

test('the deadline is that of the attempt or that of the job, whichever comes first', () => {
  const deadlineOf = (times: Partial<SlotTask>): number | undefined =>
    createContext(undefined, times).context.deadline?.getTime()
  expect(deadlineOf({ deadlineMs: 5_000 })).toBe(5_000)
  expect(deadlineOf({ deadlineMs: 5_000, timeoutMs: 1 })).toBe(5_000)
  expect(deadlineOf({ deadlineMs: Date.now() + 1e9, timeoutMs: 1_000 })).toBeLessThan(Date.now() + 1e6)
})

test('a task that asks for its signal after it was told to stop finds it aborted, with the reason', () => {
  const { context, stop } = createContext()
  stop.abort(new Error('cancelled by its client'))
  expect(context.signal.aborted).toBe(true)
  expect(context.signal.reason).toEqual(new Error('cancelled by its client'))
})

test('the signal that a task listens to is the one that is aborted', () => {
  const { context, stop } = createContext()
  const { signal } = context
  stop.abort(new Error('drained'))
  expect(signal.aborted).toBe(true)
  expect(context.signal).toBe(signal)
})

test('the random stream is that of the job and the index, and goes on from where it is', () => {
  const { context } = createContext()
  const expected = createRng(7n, 3)
  expect([context.rng.uniform(), context.rng.uniform()]).toEqual([expected.uniform(), expected.uniform()])
})

test('what a task takes out of its context works on its own, and carries the ids', () => {
  const { context, said } = createContext()
  const { progress, log } = context
  progress(0.5, { message: 'half' })
  log.info('iteration %o', { k: 3 })
  expect(said).toMatchObject([
    { kind: 'progress', taskId: 'j-1/3', fraction: 0.5, message: 'half' },
    { kind: 'log', line: { taskId: 'j-1/3', attempt: 2, level: 'info' } },
  ])
})

test('progress that comes too fast is thinned out, but the end is always said', () => {
  const { context, said } = createContext()
  for (let k = 0; k < 100; k++) context.progress(k / 200)
  context.progress(1)
  expect(said.length).toBeLessThan(50)
  expect(said.at(-1)).toMatchObject({ fraction: 1 })
})

test('of a task that is probably done soon nothing is said until it is not', () => {
  const soon = createContext(undefined, {}, performance.now() + 1e6)
  soon.context.progress(0.5)
  soon.context.progress(1)
  expect(soon.said).toEqual([])
  const later = createContext(undefined, {}, performance.now())
  later.context.progress(0.5)
  expect(later.said).toMatchObject([{ fraction: 0.5 }])
})

test('a line or message that is far too long is cut', () => {
  const { context, said } = createContext()
  const long = 'x'.repeat(20_000_000)
  context.log.info(long)
  context.progress(1, { message: long })
  for (const message of said) {
    const text = message.kind === 'log' ? message.line.text : message.kind === 'progress' ? message.message : undefined
    expect(text?.length).toBeGreaterThan(maxLineUnits - 1)
    expect(text?.length).toBeLessThan(maxLineUnits + 100)
  }
  expect(said).toHaveLength(2)
})

test('a save sends the state as it was when it was asked for, and the task ends when it is through', async () => {
  const { context, said } = createContext()
  expect(context.saved()).toBeUndefined()
  const x = new Float64Array([1, 2])
  const save = context.checkpoint.save({ x }, { iteration: 3, labels: { phase: '1' } })
  x.fill(0)
  const [call] = said
  if (call?.kind !== 'checkpoint' || call.call.kind !== 'save') return expect.fail('no save was sent')
  expect(call).toMatchObject({ key: task.key, call: { info: { iteration: 3, labels: { phase: '1' } } } })
  expect([...new Float64Array(wholeOf(call.call.bytes).slice().buffer)]).toEqual([1, 2])
  const saved = context.saved()
  answerCall(call.callId, undefined, undefined)
  await Promise.all([save, saved])
})

test('a save that fails is logged though nobody waits for it, and stops no task', async () => {
  const { context, said } = createContext()
  void context.checkpoint.save({})
  const call = said.find(({ kind }) => kind === 'checkpoint')
  answerCall(call?.kind === 'checkpoint' ? call.callId : 0, undefined, { message: 'the disk is full' })
  await context.saved()
  expect(said.at(-1)).toMatchObject({
    kind: 'log',
    line: { level: 'warn', text: 'the checkpoint was not saved: the disk is full' },
  })
})

test('with an interval most calls send nothing, until the task is told to stop', () => {
  const { context, said, stop } = createContext()
  const iterate = (iteration: number) =>
    void context.checkpoint.save({ iteration }, { iteration, every: { iterations: 10 } })
  for (let iteration = 1; iteration <= 25; iteration++) iterate(iteration)
  expect(said).toHaveLength(2)
  stop.abort()
  iterate(26)
  expect(said).toHaveLength(3)
})
