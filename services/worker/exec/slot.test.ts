import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import type { TaskId } from '#libs/domain'

import { keyOf, type TaskOrder } from '../core/state.js'
import { Slot } from './slot.js'
import { packEnds, unpackTasks } from './slot-columns.js'
import type { HostEvents, StartHost } from './slot-host.js'
import type { SlotTask } from './slot-messages.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** A slot whose hosts only take down what they are told. */
class SlotLab {
  readonly log: string[] = []
  /** What the host has said that may wait. */
  readonly unheard: (() => void)[] = []
  readonly #hosts: HostEvents[] = []
  readonly slot: Slot

  constructor() {
    const startHost: StartHost = (_, events) => {
      const host = `host ${this.#hosts.push(events)}`
      this.log.push(`${host} starts`)
      return {
        claims: undefined,
        post: (message) =>
          this.log.push(
            `${host} is told to ${message.kind}${message.kind === 'run' ? namesOf(unpackTasks(message.tasks)) : ''}`,
          ),
        catchUp: () => this.unheard.splice(0).forEach((say) => say()),
        end: () => this.log.push(`${host} is ended`),
        stop: () => {
          this.log.push(`${host} is dismissed`)
          return Promise.resolve()
        },
      }
    }
    const events = {
      started: () => undefined,
      passedOver: () => undefined,
      ended: (key: string) => this.log.push(`${key} ended`),
      slotLost: (_: number, { kind }: { kind: string }) => this.log.push(`lost: ${kind}`),
      slotStuck: () => undefined,
      awaits: () => undefined,
      woke: () => undefined,
      parkedLost: (key: string, { kind }: { kind: string }) => this.log.push(`${key} is lost while it waits: ${kind}`),
    }
    const listeners = {
      verifyInputs: false,
      heard: () => undefined,
      bundlePath: () => '',
      keepResult: () => ({ kind: 'payload', payload: new Uint8Array() }) as const,
    }
    this.slot = new Slot(0, events, listeners, startHost, new Set())
  }

  run(name: string, timeoutMs?: number): string {
    const order = orderOf(name, timeoutMs)
    this.slot.execute([{ order, inputs: new Map(), devices: [] }])
    return keyOf(order)
  }

  /** The host with this number says something. */
  host(number: number): HostEvents {
    const events = this.#hosts[number - 1]
    if (events === undefined) throw new Error(`host ${number} was not started`)
    return events
  }

  /** The task began, so long before now. */
  begin(key: string): void {
    this.host(1).heard({ kind: 'turn', started: { key, startedAtMs: 0 } })
  }

  finish(key: string): void {
    const outcome = { kind: 'payload', payload: new Uint8Array() } as const
    this.host(1).heard({ kind: 'turn', ends: packEnds([{ key, outcome, startedAtMs: 0, endedAtMs: 1 }]) })
  }

  /** What happened since the last call. */
  take(): string[] {
    return this.log.splice(0)
  }
}

const ended = { kind: 'userError', reason: 'TASK_EXITED', message: 'gone' } as const

function namesOf(tasks: readonly SlotTask[]): string {
  return tasks.map(({ taskId }) => ` ${taskId}`).join('')
}

function orderOf(name: string, timeoutMs: number | undefined): TaskOrder {
  return {
    ...{ taskId: name as TaskId, jobId: 'j', index: 0, epoch: 1, attempt: 1, bundleDigest: 'd', taskName: 'f' },
    ...{ seed: 0n, input: new Uint8Array(), inputs: [], trace: {}, timeoutMs },
  }
}

test('a task that does not obey: the next host is there when its own is ended, and takes what comes next', () => {
  const lab = new SlotLab()
  const key = lab.run('deaf')
  lab.begin(key)
  lab.take()
  lab.slot.stopTask(key, 'not wanted any more')
  vi.advanceTimersByTime(999)
  expect(lab.take()).toEqual(['host 1 is told to stop', 'host 2 starts'])
  vi.advanceTimersByTime(1)
  expect(lab.take()).toEqual(['host 1 is ended'])
  lab.host(1).ended(ended)
  lab.run('next')
  expect(lab.take()).toEqual(['lost: cancelled', 'host 2 is told to run next'])
})

test('a task that ended in time is not ended because nobody has heard of it: who runs now would be', () => {
  const lab = new SlotLab()
  const key = lab.run('late')
  lab.begin(key)
  lab.slot.stopTask(key, 'not wanted any more')
  lab.unheard.push(() => lab.finish(key))
  lab.take()
  vi.advanceTimersByTime(1_000)
  expect(lab.take()).toEqual(['host 2 starts', 'late@1.1 ended', 'host 2 is dismissed'])
})

test('so it is at a timeout', () => {
  const lab = new SlotLab()
  const key = lab.run('slow', 50)
  lab.begin(key)
  lab.take()
  vi.advanceTimersByTime(1_050)
  lab.host(1).ended(ended)
  lab.run('next')
  expect(lab.take()).toEqual([
    'host 1 is told to stop',
    'host 2 starts',
    'host 1 is ended',
    'lost: timeout',
    'host 2 is told to run next',
  ])
})

test('for a task that obeys soon no host is started; one that was started in vain is dismissed', () => {
  const lab = new SlotLab()
  const soon = lab.run('soon')
  lab.slot.stopTask(soon, 'not wanted any more')
  vi.advanceTimersByTime(400)
  lab.finish(soon)
  vi.advanceTimersByTime(1_000)
  expect(lab.take()).not.toContain('host 2 starts')
  const late = lab.run('late')
  lab.slot.stopTask(late, 'not wanted any more')
  vi.advanceTimersByTime(900)
  lab.finish(late)
  vi.advanceTimersByTime(100)
  lab.run('next')
  expect(lab.take()).toEqual([
    'host 1 is told to run late',
    'host 1 is told to stop',
    'host 2 starts',
    `${late} ended`,
    'host 2 is dismissed',
    'host 1 is told to run next',
  ])
})

test('a host that is ended by its task meanwhile is followed by the one that stands ready; a ready one that ends is not used', () => {
  const lab = new SlotLab()
  const key = lab.run('deaf')
  lab.slot.stopTask(key, 'not wanted any more')
  vi.advanceTimersByTime(600)
  lab.host(1).ended(ended)
  expect(lab.take()).toContain('lost: userError')
  const again = lab.run('deaf again')
  lab.slot.stopTask(again, 'not wanted any more')
  vi.advanceTimersByTime(600)
  lab.host(3).ended(ended)
  vi.advanceTimersByTime(400)
  lab.host(2).ended(ended)
  expect(lab.take()).toEqual([
    'host 2 is told to run deaf again',
    'host 2 is told to stop',
    'host 3 starts',
    'host 2 is ended',
    'host 4 starts',
    'lost: cancelled',
  ])
})

test('a task that waits without a slot and does not obey has its host ended, and nobody takes that place', () => {
  const lab = new SlotLab()
  const key = lab.run('parent')
  lab.begin(key)
  expect(lab.slot.park(key)).toBe(true)
  lab.take()
  lab.slot.stopTask(key, 'not wanted any more')
  vi.advanceTimersByTime(1_000)
  lab.host(1).ended(ended)
  expect(lab.take()).toEqual(['host 1 is told to stop', 'host 1 is ended', `${key} is lost while it waits: cancelled`])
})

test('a host that stands ready is not needed any more when the task that was told to stop gives its slot up first', () => {
  const lab = new SlotLab()
  const key = lab.run('parent')
  lab.begin(key)
  lab.slot.stopTask(key, 'not wanted any more')
  vi.advanceTimersByTime(600)
  lab.take()
  lab.slot.park(key)
  lab.host(1).ended(ended)
  expect(lab.take()).toEqual(['host 2 is dismissed', `${key} is lost while it waits: userError`])
})

test('two tasks with one large input go to a process in two messages, where each gets bytes of its own, whatever memory they lie in here', () => {
  for (const memory of [new ArrayBuffer(8), new SharedArrayBuffer(8)]) {
    const lab = new SlotLab()
    lab.take()
    const inputs = new Map([
      ['o', { kind: 'body', structure: undefined, bytes: new Uint8Array(memory as ArrayBuffer) } as const],
    ])
    lab.slot.execute(['negate', 'sum'].map((name) => ({ order: orderOf(name, undefined), inputs, devices: [] })))
    expect(lab.take()).toEqual(['host 1 is told to run negate', 'host 1 is told to run sum'])
  }
})
