import { expect, test } from 'vitest'

import { wholeOf } from '#libs/memory'

import { LineResults } from './line-results.js'
import type { SlotTask } from './slot-messages.js'

/** A task in the slot's line that takes the results of these attempts. */
const taker = (...keys: string[]): SlotTask => ({
  ...{ key: 'taker', taskId: 'j/9', index: 9, attempt: 1, inputs: new Map(), input: new Uint8Array(), trace: {} },
  ...{
    call: { kind: 'f', jobId: 'j', seed: 1n, bundlePath: '/b', bundleDigest: 'd', taskName: 'f', verifyInputs: false },
    claim: 0,
  },
  ...{ timeoutMs: undefined, isDoubtful: false, isUrgent: false, devices: [] },
  awaited: keys.map((key) => ({ objectId: `of ${key}`, key })),
})

const bytesOf = (results: LineResults, task: SlotTask): Uint8Array | undefined => {
  const input = results.take(task)?.get('of maker')
  return input?.kind === 'payload' ? input.payload : input && wholeOf(input.bytes)
}

test.each([0, 100])(
  'a small result is a copy for who takes it, also when %i tasks ended since: its end may not be said yet',
  (others) => {
    const results = new LineResults()
    const payload = Buffer.from([1, 2, 3])
    results.expect(taker('maker'))
    results.keep('maker', { kind: 'payload', payload })
    for (let other = 0; other < others; other++)
      results.keep(`other ${other}`, { kind: 'payload', payload: Buffer.of(0) })
    bytesOf(results, taker('maker'))?.fill(0)
    expect([...payload]).toEqual([1, 2, 3])
  },
)

test('of a large result each who takes it has its own, and the end keeps its bytes', () => {
  const results = new LineResults()
  const bytes = Uint8Array.of(1, 2, 3)
  results.expect(taker('maker'))
  results.expect(taker('maker'))
  results.keep('maker', { kind: 'body', structure: { kind: undefined }, bytes })
  const taken = [bytesOf(results, taker('maker')), bytesOf(results, taker('maker'))]
  taken[0]?.fill(0)
  expect([[...bytes], [...(taken[1] ?? [])]]).toEqual([
    [1, 2, 3],
    [1, 2, 3],
  ])
  expect(results.take(taker('maker'))).toBeUndefined()
})

test('who follows a task that failed gets nothing', () => {
  const results = new LineResults()
  results.expect(taker('maker'))
  results.keep('maker', { kind: 'failed', failure: { kind: 'userError', reason: 'TASK_FAILED', message: 'no' } })
  expect(results.take(taker('maker'))).toBeUndefined()
})
