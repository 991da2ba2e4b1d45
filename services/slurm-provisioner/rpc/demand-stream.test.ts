import { expect, test } from 'vitest'

import { makeHello, WatchDemandResponse } from '#libs/proto'
import { readRpcFailure } from '#libs/rpc'

import { checkVersions, demandToDomain } from './demand-stream.js'

async function* levelsAfter(hello: WatchDemandResponse['hello']) {
  yield WatchDemandResponse.fromPartial({ wantedSlots: 1, ...(hello && { hello }) })
  yield WatchDemandResponse.fromPartial({ wantedSlots: 2 })
}

async function wantedSlots(hello: WatchDemandResponse['hello']): Promise<number[]> {
  const wanted: number[] = []
  for await (const level of checkVersions(levelsAfter(hello))) wanted.push(level.wantedSlots)
  return wanted
}

test('the demand of a scheduler that speaks as we do is heard, also of one that does not say how it speaks', async () => {
  expect(await wantedSlots(makeHello())).toEqual([1, 2])
  expect(await wantedSlots(undefined)).toEqual([1, 2])
})

test('a scheduler of another version is refused, and the message says whom to upgrade', async () => {
  const failure = await wantedSlots({ protocolVersion: 99, packageVersion: '9.9.9' }).catch(readRpcFailure)
  expect(failure).toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'PROTOCOL_MISMATCH' })
  expect(failure).toMatchObject({ message: expect.stringContaining('upgrade the provisioner') as string })
})

test('the work that is queued is heard as far as run times are known', () => {
  const heard = (level: Parameters<typeof WatchDemandResponse.fromPartial>[0]): unknown =>
    demandToDomain(WatchDemandResponse.fromPartial(level))
  expect(heard({ wantedSlots: 9 })).toEqual({ wantedSlots: 9 })
  expect(heard({ wantedSlots: 9, measuredSlots: 5, measuredWork: { seconds: 7n, nanos: 500_000_000 } })).toEqual({
    ...{ wantedSlots: 9, work: { slots: 5, totalMs: 7_500 } },
  })
})
