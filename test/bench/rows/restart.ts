import { once } from 'node:events'
import { watch } from 'node:fs'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

import { type Cluster, connect } from 'costate'

import { meshDirOf, readAddress } from '#libs/lifecycle'

import { compare } from '../contest.js'
import { startCluster } from '../contestants.js'
import type { Row } from '../row.js'
import { atMost } from '../target.js'
import { noop } from '../tasks.mjs'

const tasks = 100_000

/** From the end of a scheduler that is killed until the one in its place serves, with so many settled tasks known. */
const restart: Row = {
  name: 'restart-100k',
  unit: 's',
  target: atMost(3, 's'),
  measure: async (context) => {
    await using cluster = await startCluster(context)
    const meshDir = meshDirOf(cluster.name)
    const inputs = Array.from({ length: tasks }, (_, k) => k)
    const futures = cluster.map(noop, inputs)
    await cluster.gather(futures)
    const ours = async (): Promise<number> => {
      const pid = await pidOf(meshDir)
      const watcher = watch(path.join(meshDir, 'addresses'))
      const startMs = context.nowMs()
      process.kill(pid, 'SIGKILL')
      while ((await pidOf(meshDir)) === pid) await once(watcher, 'change')
      const seconds = (context.nowMs() - startMs) / 1000
      watcher.close()
      // A call may find the connection broken; it says so, and the next dial finds the new address.
      while ((await settledIn(cluster, futures[0]?.job.id ?? '')) !== tasks) await pause(50)
      return seconds
    }
    const measured = await compare({ warmUps: 1, ours, theirs: undefined }, context)
    return { cases: [measured], note: 'the pause before a new start and the start of the process included' }
  },
}

/** How many tasks of the job the scheduler knows to be settled; nothing when it cannot be asked. */
async function settledIn(cluster: Cluster, jobId: string): Promise<number | undefined> {
  await using other = await connect(cluster.name).catch(() => undefined)
  const job = await other?.attach(jobId)
  if (job === undefined) return undefined
  await Promise.all(job.futures.map((future) => future.result()))
  return job.counts().finished
}

/** The scheduler writes its address when it serves. */
async function pidOf(meshDir: string): Promise<number> {
  return (await readAddress(meshDir, 'scheduler'))?.pid ?? 0
}

export const restartRows: readonly Row[] = [restart]
