import { expect, test } from 'vitest'

import { compare } from './contest.js'

/** A contest whose sides write down when they ran, and whose peer's run takes so long on a clock of its own. */
function createContest({ peerRunMs = 0, repeats = undefined as number | undefined, usual = 5, hasPeer = true } = {}) {
  const ran: string[] = []
  const said: string[] = []
  let clockMs = 0
  const figures = { ours: [0, 0, 50, 10, 30, 20, 40], theirs: [0, 0, 5, 1, 3, 2, 4] }
  const side = (name: 'ours' | 'theirs') => async () => {
    ran.push(name)
    if (name === 'theirs') clockMs += peerRunMs
    return figures[name][ran.filter((other) => other === name).length - 1] ?? 0
  }
  const contest = {
    warmUps: 2,
    repeats: usual,
    ours: side('ours'),
    theirs: hasPeer ? { name: 'Dask', run: side('theirs') } : undefined,
  }
  const context = { repeats, nowMs: () => clockMs, say: (text: string) => said.push(text) }
  return { run: () => compare(contest, context), ran, said }
}

test('both sides are warmed up, then run in turn', async () => {
  const { run, ran } = createContest()
  await run()
  expect(ran).toEqual(Array.from({ length: 7 }, () => ['ours', 'theirs']).flat())
})

test('warm-up runs do not count: the figure is the median of the five others', async () => {
  const { run } = createContest()
  expect(await run()).toEqual({ ours: 30, peer: 'Dask', theirs: 3 })
})

test('a peer that takes over a minute is counted three times', async () => {
  const slow = createContest({ peerRunMs: 60_001 })
  expect(await slow.run()).toMatchObject({ ours: 30, theirs: 3 })
  expect(slow.ran).toHaveLength(2 * (2 + 3))
  const bearable = createContest({ peerRunMs: 60_000 })
  await bearable.run()
  expect(bearable.ran).toHaveLength(2 * (2 + 5))
})

test('a row may be counted more often than others, but not when its peer is slow', async () => {
  const often = createContest({ usual: 9 })
  await often.run()
  expect(often.ran).toHaveLength(2 * (2 + 9))
  const slow = createContest({ usual: 9, peerRunMs: 60_001 })
  await slow.run()
  expect(slow.ran).toHaveLength(2 * (2 + 3))
})

test('fewer runs may be asked for', async () => {
  const { run, ran } = createContest({ repeats: 1, peerRunMs: 90_000 })
  expect(await run()).toMatchObject({ ours: 50, theirs: 5 })
  expect(ran).toHaveLength(2 * (2 + 1))
})

test('without the peer its columns are null, and ours is measured all the same', async () => {
  const { run, ran } = createContest({ hasPeer: false })
  expect(await run()).toEqual({ ours: 30, peer: null, theirs: null })
  expect(ran).toEqual(Array.from({ length: 7 }, () => 'ours'))
})

test('each counted run is said as it ends', async () => {
  const { run, said } = createContest({ repeats: 2 })
  await run()
  expect(said).toEqual(['warm-up 1 of 2', 'warm-up 2 of 2', '1 of 2: ours 50, Dask 5', '2 of 2: ours 10, Dask 1'])
})

test('where it is asked for, the machine rests before each run', async () => {
  const restMs = 20
  const times: number[] = [performance.now()]
  const side = async (): Promise<number> => times.push(performance.now())
  const contest = { warmUps: 1, restMs, repeats: 2, ours: side, theirs: { name: 'Dask', run: side } }
  await compare(contest, { repeats: undefined, nowMs: () => 0, say: () => undefined })
  expect(times).toHaveLength(1 + 2 * 3)
  // A timer may be early by less than a millisecond.
  for (const [index, time] of times.slice(1).entries()) expect(time - times[index]!).toBeGreaterThan(restMs - 2)
})
