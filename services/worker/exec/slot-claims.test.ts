import { expect, test } from 'vitest'

import { type TaskId } from '#libs/domain'

import { keyOf, type TaskOrder } from '../core/state.js'
import { beginClaimed, ClaimBook } from './line-claims.js'
import { Slot } from './slot.js'
import { packEnds, unpackTasks } from './slot-columns.js'
import type { HostEvents } from './slot-host.js'
import type { SlotTask } from './slot-messages.js'

/** A slot and the thread's side of it, which is as far as the test says. */
function openSlot() {
  const claims = new ClaimBook()
  const line: SlotTask[] = []
  const ends: string[] = []
  let host: HostEvents | undefined
  const slot = new Slot(
    0,
    {
      started: () => undefined,
      passedOver: () => undefined,
      ended: (key, { kind }) => ends.push(`${key} ${kind}`),
      slotLost: () => undefined,
      slotStuck: () => undefined,
      awaits: () => undefined,
      woke: () => undefined,
      parkedLost: () => undefined,
    },
    {
      verifyInputs: false,
      heard: () => undefined,
      bundlePath: () => '',
      keepResult: () => ({ kind: 'payload', payload: new Uint8Array() }),
    },
    (_, events) => {
      host = events
      return {
        claims,
        post: (message) => {
          if (message.kind === 'run') line.push(...unpackTasks(message.tasks))
        },
        catchUp: () => undefined,
        end: () => undefined,
        stop: () => Promise.resolve(),
      }
    },
    new Set(),
  )
  /** The thread comes to the next in its line. */
  const turn = (): void => {
    const { key = '', claim = 0 } = line.shift() ?? {}
    if (!beginClaimed(claims.claims, claim)) return host?.heard({ kind: 'dropped', key, claim })
    const outcome = { kind: 'payload', payload: new Uint8Array() } as const
    host?.heard({ kind: 'turn', ends: packEnds([{ key, outcome, startedAtMs: 0, endedAtMs: 1 }]) })
  }
  return { slot, turn, ends, claims }
}

const order: TaskOrder = {
  ...{ taskId: 'a' as TaskId, jobId: 'j', index: 0, epoch: 1, attempt: 1, bundleDigest: 'd', taskName: 'f' },
  ...{ seed: 0n, input: new Uint8Array(), inputs: [], trace: {}, timeoutMs: undefined },
}
const key = keyOf(order)
const execution = { order, inputs: new Map(), devices: [] }

test('what was withdrawn, and comes again before the thread has found that, runs once and has not failed', () => {
  const { slot, turn, ends } = openSlot()
  slot.execute([execution])
  expect(slot.withdraw(key)).toBe(true)
  slot.execute([execution])
  turn()
  expect(ends).toEqual([])
  expect(slot.has(key)).toBe(true)
  turn()
  expect(ends).toEqual([`${key} payload`])
})

test('it can be withdrawn again, and no place among the claims is lost', () => {
  const { slot, turn, ends, claims } = openSlot()
  for (let k = 0; k < 3; k++) {
    slot.execute([execution])
    expect(slot.withdraw(key)).toBe(true)
  }
  for (let k = 0; k < 3; k++) turn()
  expect(ends).toEqual([])
  const places = Array.from({ length: 1_024 }, (_, k) => claims.open(`t${k}`))
  expect(new Set(places).size).toBe(1_024)
})
