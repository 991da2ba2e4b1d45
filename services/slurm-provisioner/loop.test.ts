import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { createMemoryJournal, type Journal } from '#libs/journal'
import { systemClock } from '#libs/lifecycle'

import type { Effect } from './core/effect.js'
import type { Fact } from './core/fact.js'
import { createState } from './core/state.js'
import { cpu } from './core/testing/cluster.js'
import { type Loop, startLoop } from './loop.js'
import { subjectOf } from './storage/fact-codec.js'

const day = 86_400_000

// What the loop waits for are its timers; the rest of the world goes on.
beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] }))
afterEach(() => vi.useRealTimers())

interface Started {
  readonly loop: Loop
  readonly effects: Effect[]
  readonly fatal: unknown[]
}

async function start(journal: Journal<Fact>, idleTimeoutMs = 60_000): Promise<Started> {
  const effects: Effect[] = []
  const fatal: unknown[] = []
  const loop = await startLoop({
    state: createState([{ ...cpu, idleTimeoutMs }], 'k'),
    journal,
    clock: systemClock,
    perform: (some) => effects.push(...some),
    onFatal: (error) => fatal.push(error),
  })
  return { loop, effects, fatal }
}

const emptyQueue = () => ({ kind: 'jobsListed', askedAtMs: Date.now(), isComplete: true, jobs: [] }) as const
const demand = (wantedSlots: number) => ({ kind: 'demandHeard', wantedSlots }) as const

test('a submit is remembered before SLURM hears of it', async () => {
  const journal = createMemoryJournal<Fact>()
  const order: string[] = []
  const append = journal.append.bind(journal)
  journal.append = async (facts) => {
    await append(facts)
    order.push(...facts.map(({ kind }) => kind))
  }
  const loop = await startLoop({
    state: createState([cpu], 'k'),
    journal,
    clock: systemClock,
    perform: (effects) => order.push(...effects.map(({ kind }) => kind)),
    onFatal: (error) => order.push(String(error)),
  })
  await loop.settle(demand(4))
  await loop.settle(emptyQueue())
  expect(order).toEqual(['submitIntended', 'submitJobs'])
})

test('a loop that starts on the journal of another one knows what that one asked for', async () => {
  const journal = createMemoryJournal<Fact>({ retain: true, subjectOf })
  const { loop } = await start(journal)
  await loop.settle(demand(8))
  await loop.settle(emptyQueue())
  await loop.settle({ kind: 'submitAccepted', key: 'k1', jobId: '7' })
  const second = await start(journal)
  expect([...second.loop.state.allocations.keys()]).toEqual(['k1.0', 'k1.1'])
  expect(second.loop.state.submissions.get('k1')?.status).toEqual({ kind: 'accepted', jobId: '7' })
})

test('time passes for the core when a lull ends, also one longer than any timer', async () => {
  const { loop } = await start(createMemoryJournal(), 40 * day)
  await loop.settle(demand(8))
  await loop.settle(demand(0))
  await vi.advanceTimersByTimeAsync(40 * day - 10)
  expect(loop.state.pools.get('cpu')?.desiredWorkers).toBe(2)
  await vi.advanceTimersByTimeAsync(20)
  await vi.waitFor(() => expect(loop.state.pools.get('cpu')?.desiredWorkers).toBe(0))
})

test('a stopped loop leaves no timer, and hears nothing more', async () => {
  const { loop } = await start(createMemoryJournal())
  await loop.settle(demand(8))
  await loop.settle(demand(0))
  expect(vi.getTimerCount()).toBe(1)
  await loop.stop()
  expect(vi.getTimerCount()).toBe(0)
  loop.post(demand(40))
  expect(loop.state.demand?.wantedSlots).toBe(0)
})

test('a journal that fails is fatal, and nothing that was not remembered is done', async () => {
  const journal = createMemoryJournal<Fact>()
  const { loop, effects, fatal } = await start(journal)
  journal.append = () => Promise.reject(new Error('the disk is full'))
  await loop.settle(demand(4))
  await loop.settle(emptyQueue())
  expect(fatal).toEqual([new Error('the disk is full')])
  expect(effects).toEqual([])
})
