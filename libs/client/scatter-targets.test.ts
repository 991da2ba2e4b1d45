import { expect, test } from 'vitest'

import type { WorkerInfo } from './cluster.js'
import { ScatterTargets } from './scatter-targets.js'

function targetsAmong(workers: readonly Partial<WorkerInfo>[]) {
  let listings = 0
  const targets = new ScatterTargets(async () => {
    listings++
    return workers.map((worker) => ({ state: 'ready', heldObjects: 0, ...worker }) as WorkerInfo)
  })
  return { targets, listings: () => listings }
}

test('scatters that begin together list the workers once, and spread over them by what they hold', async () => {
  const { targets, listings } = targetsAmong([
    { id: 'w1', heldObjects: 4 },
    { id: 'w2', heldObjects: 0 },
    { id: 'w3', state: 'draining' },
  ])
  const chosen = (await Promise.all(Array.from({ length: 10 }, () => targets.chosen({})))).flat()
  expect(listings()).toBe(1)
  const count = (id: string): number => chosen.filter((worker) => worker.id === id).length
  expect([count('w1'), count('w2'), count('w3')]).toEqual([3, 7, 0])
})

test('a later scatter sees the workers of its time', async () => {
  const workers: Partial<WorkerInfo>[] = [{ id: 'w1' }]
  const { targets, listings } = targetsAmong(workers)
  await targets.chosen({})
  await new Promise((resolve) => setImmediate(resolve))
  workers.unshift({ id: 'w2' })
  expect((await targets.chosen({}))[0]?.id).toBe('w2')
  expect(listings()).toBe(2)
})

test('whom the caller names, and all of them for a broadcast', async () => {
  const { targets } = targetsAmong([{ id: 'w1' }, { id: 'w2', heldObjects: 9 }])
  expect((await targets.chosen({ workers: ['w2'] })).map(({ id }) => id)).toEqual(['w2'])
  expect((await targets.chosen({ broadcast: true })).map(({ id }) => id)).toEqual(['w1', 'w2'])
  await expect(targets.chosen({ workers: ['w9'] })).rejects.toThrow('there is no worker w9')
  await expect(targetsAmong([]).targets.chosen({})).rejects.toThrow('the cluster has no workers')
})

test('while the workers are asked for, what waits is prepared; each is chosen for all the same', async () => {
  let answer!: (workers: WorkerInfo[]) => void
  const targets = new ScatterTargets(() => new Promise((resolve) => (answer = resolve)))
  const heard: string[] = []
  await new Promise<void>((end) => {
    for (const name of ['first', 'last']) {
      targets.choose({
        options: {},
        prepare: () => {
          heard.push(`${name} prepared`)
          if (name === 'last') answer([{ id: 'w1', state: 'ready', heldObjects: 0 } as WorkerInfo])
        },
        chosen: ([worker]) => {
          heard.push(`${name} to ${worker?.id}`)
          if (name === 'last') end()
        },
        refused: end,
      })
    }
  })
  expect(heard).toEqual(['first prepared', 'last prepared', 'first to w1', 'last to w1'])
})
