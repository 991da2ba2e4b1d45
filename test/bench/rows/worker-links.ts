import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'

import { type Cluster, createLocalCluster } from 'costate'

import { meshDirOf } from '#libs/lifecycle'

import { compare } from '../contest.js'
import { linkWorkers } from '../links/worker-links.js'
import type { Row } from '../row.js'
import { atLeast } from '../target.js'
import { createNoopMap } from './noop-map.js'

const tasks = 100_000
const pollMs = 20
const warmUps = 2

async function waitForExactly(count: number, cluster: Cluster): Promise<void> {
  while ((await cluster.workers()).length !== count) await pause(pollMs)
}

/** Tasks per second with 1,000 linked workers, in what there are with 2. The workers only echo: the scheduler is measured. */
const attach1kWorkers: Row = {
  name: 'attach-1k-workers',
  unit: '× 2 workers',
  target: atLeast(0.5, ''),
  measure: async (context) => {
    await using cluster = await createLocalCluster({ workers: 1, runDir: context.runDir })
    await cluster.scale(0)
    await waitForExactly(0, cluster)
    const noopMap = createNoopMap(cluster, tasks, context.nowMs)
    const linked = async (count: number): Promise<number> => {
      context.say(`${count} workers link`)
      const links = await linkWorkers(meshDirOf(cluster.name), count)
      try {
        await waitForExactly(count, cluster)
        for (let k = 0; k < warmUps; k++) await noopMap()
        const perSecond = await noopMap()
        assert.equal((await cluster.workers()).length, count)
        return perSecond
      } finally {
        await links[Symbol.asyncDispose]()
        await waitForExactly(0, cluster)
      }
    }
    const rates: string[] = []
    const ours = async (): Promise<number> => {
      const few = await linked(2)
      const many = await linked(1_000)
      rates.push(`${Math.round(many).toLocaleString('en')} / ${Math.round(few).toLocaleString('en')}`)
      return many / few
    }
    const measured = await compare({ warmUps: 0, ours, theirs: undefined }, context)
    return { cases: [measured], note: `tasks/s of the runs: ${rates.join(', ')}` }
  },
}

export const workerLinkRows: readonly Row[] = [attach1kWorkers]
