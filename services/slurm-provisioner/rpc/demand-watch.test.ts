import { expect, test } from 'vitest'

import { rpcError } from '#libs/rpc'
import type { WatchDemandResponse } from '#libs/proto'

import { watchDemand } from './demand-watch.js'

const level = (wantedSlots: number): WatchDemandResponse => ({
  wantedSlots,
  presentSlots: 0,
  presentWorkers: 0,
  unofferedSlots: 0,
  measuredSlots: 0,
  measuredWork: undefined,
  hello: undefined,
})

interface Watched {
  readonly heard: number[]
  readonly lost: string[]
  readonly pauses: number[]
  readonly end: Promise<unknown>
  readonly stop: () => void
}

/** Watches streams that do, one after the other, what is given; the last one hangs until the watch is stopped. */
function watch(streams: readonly (readonly (number | Error)[])[], random = 0): Watched {
  const stopping = new AbortController()
  const [heard, lost, pauses]: [number[], string[], number[]] = [[], [], []]
  let next = 0
  const end = watchDemand(
    {
      async *open(signal) {
        const steps = streams[next++]
        if (steps === undefined) {
          stopping.abort()
          signal.throwIfAborted()
          return
        }
        for (const step of steps) {
          if (step instanceof Error) throw step
          yield level(step)
        }
      },
      onDemand: ({ wantedSlots }) => heard.push(wantedSlots),
      onLost: ({ code }, pauseMs) => {
        lost.push(code)
        pauses.push(pauseMs)
      },
      pause: async (_durationMs, signal) => signal.throwIfAborted(),
      random: () => random,
    },
    stopping.signal,
  )
  return { heard, lost, pauses, end, stop: () => stopping.abort() }
}

const gone = rpcError('UNAVAILABLE', 'PEER_GONE', 'gone')

test('a broken stream is opened again and the level heard anew', async () => {
  const { end, heard, lost } = watch([[1, 2, gone], [3], [gone], [4]])
  expect(await end).toBeUndefined()
  expect(heard).toEqual([1, 2, 3, 4])
  expect(lost).toEqual(['UNAVAILABLE', 'UNAVAILABLE', 'UNAVAILABLE', 'UNAVAILABLE'])
})

test('pauses double up to ten seconds, half of them random, and start over when a level was heard', async () => {
  const failing = Array.from({ length: 8 }, () => [gone])
  const { end, pauses } = watch([...failing, [1, gone], [gone]], 0.5)
  await end
  const expected = [200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000, 200, 400]
  expect(pauses).toEqual(expected.map((ceiling) => ceiling * 0.75))
})

test('a server that says when to come back is not asked before', async () => {
  const busy = rpcError('UNAVAILABLE', 'SHUTTING_DOWN', 'later', { retryDelayMs: 60_000 })
  const { end, pauses } = watch([[busy]])
  await end
  expect(pauses).toEqual([60_000])
})

test.each(['UNAUTHENTICATED', 'PERMISSION_DENIED', 'UNIMPLEMENTED', 'FAILED_PRECONDITION'] as const)(
  '%s ends the watch',
  async (code) => {
    const { end, lost } = watch([[rpcError(code, 'REFUSED', 'no')], [1]])
    expect(await end).toMatchObject({ code, message: 'no' })
    expect(lost).toEqual([])
  },
)

test('what is no failure of a call is not tried again', async () => {
  const { end } = watch([[new Error('EACCES: the mesh folder')], [1]])
  await expect(end).rejects.toThrow('EACCES')
})

test('a watch that is stopped while it waits ends at once', async () => {
  const stopping = new AbortController()
  const end = watchDemand(
    {
      open: () => {
        throw gone
      },
      onDemand: () => undefined,
      onLost: () => stopping.abort(),
      pause: async (_durationMs, signal) => signal.throwIfAborted(),
      random: () => 0,
    },
    stopping.signal,
  )
  expect(await end).toBeUndefined()
})
