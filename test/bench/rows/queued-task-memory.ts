import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'

import { compare } from '../contest.js'
import { startCluster, workers } from '../contestants.js'
import { residentBytesOf, schedulerOf } from '../process-facts.js'
import type { Row } from '../row.js'
import { median } from '../statistics.js'
import { atMost } from '../target.js'
import { hold, noop } from '../tasks.mjs'

const tasks = 1_000_000
/** By then the scheduler has given back what it needed only for taking the submit in. */
const settleMs = 5_000

/** What a million tasks that wait for a slot add to the scheduler's resident memory, each. A new cluster every time. */
const noopMap1mRss: Row = {
  name: 'noop-map-1m-rss',
  unit: 'B/task',
  target: atMost(1_000, 'B/task'),
  measure: async (context) => {
    const settledBytes: number[] = []
    const ours = async (): Promise<number> => {
      await using cluster = await startCluster(context)
      const scheduler = await schedulerOf(cluster)
      // Every slot is taken, so that what comes next waits.
      const holders = cluster.map(
        hold,
        Array.from({ length: workers }, () => null),
      )
      await holders[0]?.job.submitted
      await pause(settleMs)
      const idleBytes = await residentBytesOf(scheduler)
      const futures = cluster.map(
        noop,
        Array.from({ length: tasks }, (_, k) => k),
      )
      await futures[0]?.job.submitted
      await pause(settleMs)
      const queuedBytes = await residentBytesOf(scheduler)
      assert(futures.every(({ done }) => !done))
      await holders[0]?.job.cancel()
      const results = await cluster.gather(futures)
      await pause(settleMs)
      settledBytes.push((await residentBytesOf(scheduler)) - idleBytes)
      assert(results.every((result, k) => result === k))
      return (queuedBytes - idleBytes) / tasks
    }
    const measured = await compare({ warmUps: 0, ours, theirs: undefined }, context)
    const note = `once all have run and their results are held: ${Math.round(median(settledBytes) / tasks)} B/task`
    return { cases: [measured], note }
  },
}

export const queuedTaskMemoryRows: readonly Row[] = [noopMap1mRss]
