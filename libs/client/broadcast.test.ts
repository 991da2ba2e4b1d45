import { Status } from 'nice-grpc-common'
import { expect, test } from 'vitest'

import { TransferError } from '#libs/transfer'

import { broadcast, type BroadcastTarget } from './broadcast.js'

const workers = (count: number, host = 'one'): BroadcastTarget[] =>
  Array.from({ length: count }, (_, k) => ({ id: `${host}-${k}`, host, addresses: [`${host}:${k}`] }))

const gone = (id: string): TransferError => new TransferError(Status.UNAVAILABLE, 'PEER_GONE', `${id} is gone`)
const withoutSource = (): TransferError => new TransferError(Status.UNAVAILABLE, 'NO_SOURCE', 'nobody had it')

/** Workers that pass on what they get; those in `dead` cannot be reached. */
function meshWith({ dead = [] as string[], byteLength = 32e6 } = {}) {
  const given: [string, ...string[]][] = []
  const has = new Set<string>()
  const underWay = new Map<string, Promise<unknown>>()
  const give = (target: BroadcastTarget, sources: readonly BroadcastTarget[]): Promise<unknown> => {
    given.push([target.id, ...sources.map(({ id }) => id)])
    const giving = (async () => {
      // All are told before any of them looks around.
      await Promise.resolve()
      if (dead.includes(target.id)) throw gone(target.id)
      for (const { id } of sources) {
        await underWay.get(id)?.catch(() => undefined)
        if (has.has(id)) return has.add(target.id)
      }
      if (sources.length > 0) throw withoutSource()
      return has.add(target.id)
    })()
    underWay.set(target.id, giving)
    return giving
  }
  const run = (targets: readonly BroadcastTarget[], fromHost?: string): Promise<string[]> =>
    broadcast(targets, { byteLength, ...(fromHost ? { fromHost } : {}) }, give).then((held) => held.map(({ id }) => id))
  return { given, run }
}

test('a large body leaves once, for the host where it is, and goes from worker to worker, each host once', async () => {
  const { given, run } = meshWith()
  const [a, b] = [workers(2, 'a'), workers(2, 'b')]
  const mixed = [a[0], b[0], a[1], b[1]].flatMap((worker) => worker ?? [])
  expect((await run(mixed, 'b')).sort()).toEqual(['a-0', 'a-1', 'b-0', 'b-1'])
  expect(given).toEqual([['b-0'], ['b-1', 'b-0'], ['a-0', 'b-1', 'b-0'], ['a-1', 'a-0', 'b-1', 'b-0']])
})

test('who is gone is left out, and those behind it get it from those before it', async () => {
  const { run } = meshWith({ dead: ['one-2'] })
  expect(await run(workers(5))).toEqual(['one-0', 'one-1', 'one-3', 'one-4'])
})

test('when the first of the chain is gone, the others are told anew', async () => {
  const { given, run } = meshWith({ dead: ['one-0', 'one-1'] })
  expect(await run(workers(4))).toEqual(['one-2', 'one-3'])
  expect(given.slice(4)).toEqual([['one-2'], ['one-3', 'one-2']])
})

test('without anybody it fails as the last one did; a refusal is heard at once', async () => {
  const { run } = meshWith({ dead: ['one-0', 'one-1'] })
  await expect(run(workers(2))).rejects.toMatchObject({ reason: 'PEER_GONE' })
  const full = new TransferError(Status.RESOURCE_EXHAUSTED, 'NO_MEMORY', 'no room')
  const give = ({ id }: BroadcastTarget): Promise<unknown> =>
    id === 'one-1' ? Promise.reject(full) : Promise.resolve()
  await expect(broadcast(workers(3), { byteLength: 1e6 }, give)).rejects.toBe(full)
})
