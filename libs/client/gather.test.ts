import { expect, expectTypeOf, test } from 'vitest'

import { TaskFuture, type Job } from '#libs/task'

import { type Cluster } from './cluster.js'
import { gatherAll } from './gather.js'

/** A future that the test settles. */
function createFuture(
  id: string,
  fetch: (future: TaskFuture<unknown>) => unknown = async (future) => future.wireResult,
): TaskFuture<string> {
  return new TaskFuture<string>(id, 'f', {
    job: { id: 'j', carrier: {} } as unknown as Job,
    isSent: () => true,
    fetch,
    cancel: async () => undefined,
    release: () => undefined,
  })
}

const timing = { workerId: 'w', slot: 0, attempt: 1, startedAtMs: 0, endedAtMs: 1 }
const finish = (future: TaskFuture<string>, result: string) => future.settle({ kind: 'finished', result, timing })
const fail = (future: TaskFuture<string>, message: string) =>
  future.settle({ kind: 'failed', error: new Error(message), cancelled: false, timing })

test('results come in the order of the futures', async () => {
  const [a, b] = [createFuture('a'), createFuture('b')]
  const gathered = gatherAll([a, b], {})
  finish(b, 'second')
  finish(a, 'first')
  expect(await gathered).toEqual(['first', 'second'])
})

test('the first failure is thrown while others still run', async () => {
  const [a, b, c] = [createFuture('a'), createFuture('b'), createFuture('c')]
  const gathered = gatherAll([a, b, c], {})
  fail(c, 'boom')
  await expect(gathered).rejects.toThrow('boom')
  expect(a.status).toBe('pending')
  // A later failure that nobody waits for does not end the program.
  fail(b, 'too late')
  await new Promise((resolve) => setImmediate(resolve))
})

test('failed ones are left out when asked, once all are settled', async () => {
  const [a, b] = [createFuture('a'), createFuture('b')]
  const gathered = gatherAll([a, b], { errors: 'skip' })
  fail(a, 'boom')
  finish(b, 'fine')
  expect(await gathered).toEqual(['fine'])
})

test('nothing gathers to nothing', async () => {
  expect(await gatherAll([], {})).toEqual([])
})

test('types: each result of a mixed list keeps its type', () => {
  const calls = (cluster: Cluster, f: TaskFuture<number>, g: TaskFuture<Float64Array>) => {
    expectTypeOf(cluster.gather([f, g])).toEqualTypeOf<Promise<[number, Float64Array]>>()
    expectTypeOf(cluster.gather([f, g], { errors: 'skip' })).toEqualTypeOf<Promise<(number | Float64Array)[]>>()
    const list: TaskFuture<number>[] = [f]
    expectTypeOf(cluster.gather(list)).toEqualTypeOf<Promise<number[]>>()
    expectTypeOf(cluster.gather(list, { errors: 'skip' })).toEqualTypeOf<Promise<number[]>>()
    expectTypeOf(cluster.gather(new Set(list))).toEqualTypeOf<Promise<number[]>>()
    expectTypeOf(cluster.gather(f.job.futures)).toEqualTypeOf<Promise<unknown[]>>()
  }
  expect(calls).toBeTypeOf('function')
})

test('a result that came with its settle is there as it is, and one that a worker holds is brought', async () => {
  const here = createFuture('here', (future) => future.wireResult)
  const elsewhere = createFuture('elsewhere')
  const gathered = gatherAll([here, elsewhere], {})
  finish(here, 'inline')
  finish(elsewhere, 'held')
  expect(await gathered).toEqual(['inline', 'held'])
})

test('a result that cannot be read, or was released, fails the gather', async () => {
  const broken = createFuture('broken', () => {
    throw new Error('malformed')
  })
  const gathered = gatherAll([broken], {})
  finish(broken, '')
  await expect(gathered).rejects.toThrow('malformed')
  const released = createFuture('released')
  released.release()
  await expect(gatherAll([released], {})).rejects.toThrow('was released')
})
