import assert from 'node:assert/strict'
import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

import type { Cluster } from 'costate'

import { meshDirOf } from '#libs/lifecycle'

import { CheckpointLab, ddSeconds, incompressible } from '../checkpoint-lab.js'
import { compare } from '../contest.js'
import { startCluster } from '../contestants.js'
import type { Measurement } from '../measurement.js'
import { startPassthrough } from '../passthrough/processes.js'
import { residentBytesOf } from '../process-facts.js'
import type { Row, RowContext } from '../row.js'
import { median } from '../statistics.js'
import { atLeast, atLeastTimes, atMost } from '../target.js'
import { solve } from '../tasks.mjs'

const gigabyte = 1e9
const megabytes = gigabyte / 1e6
/** What tasks save each second. */
const stateBytes = 16e6
const steps = 400
const pollMs = 50

type Measure = (lab: CheckpointLab, cluster: Cluster, context: RowContext) => Promise<Measurement>

/** A row that is measured on the checkpoint-store of a cluster. */
function storeRow(row: Omit<Row, 'measure'>, measure: Measure): Row {
  return {
    ...row,
    measure: async (context) => {
      await using cluster = await startCluster(context)
      using lab = await CheckpointLab.open(cluster)
      return await measure(lab, cluster, context)
    },
  }
}

/** Run time of tasks that save 16 MB each second, in that of the same ones that do not. */
function overheadRow(name: string, tasks: number, bound: number): Row {
  return storeRow({ name, unit: '×', target: atMost(bound, '×') }, async (_lab, cluster, context) => {
    const seconds = async (everyMs: number): Promise<number> => {
      const startMs = context.nowMs()
      const inputs = Array.from({ length: tasks }, () => steps)
      const futures = cluster.map(
        solve,
        inputs,
        inputs.map(() => stateBytes),
        inputs.map(() => everyMs),
      )
      await cluster.gather(futures)
      return (context.nowMs() - startMs) / 1000
    }
    const ours = async (): Promise<number> => (await seconds(1_000)) / (await seconds(0))
    return { cases: [await compare({ warmUps: 1, ours, theirs: undefined }, context)] }
  })
}

/** A gigabyte of Float64 to the disk, against the slower of the disk itself and a stream of grpc-js. */
const saveRow = storeRow(
  { name: 'save-1gb', unit: 'MB/s', target: atLeastTimes(0.7, 'dd or pull') },
  async (lab, cluster, context) => {
    await using passthrough = await startPassthrough(context.nowMs)
    const ours = async (): Promise<number> => {
      const state = incompressible(gigabyte)
      const startMs = context.nowMs()
      await lab.save('saved', state)
      return megabytes / ((context.nowMs() - startMs) / 1000)
    }
    const run = async (): Promise<number> => {
      const disk = await ddSeconds(incompressible(gigabyte), meshDirOf(cluster.name), context.nowMs)
      return megabytes / Math.max(disk, await passthrough.pull(gigabyte))
    }
    return { cases: [await compare({ warmUps: 1, ours, theirs: { name: 'dd or pull', run } }, context)] }
  },
)

/** How often each size of the table is loaded. */
const tableLoads = 5

/** States of a megabyte to a gigabyte from the page cache. The row's figure is that of the gigabyte; the note has the others. */
const loadRow = storeRow(
  { name: 'load-1gb', unit: 'MB/s', target: atLeastTimes(0.6, 'passthrough pull') },
  async (lab, _cluster, context) => {
    await using passthrough = await startPassthrough(context.nowMs)
    const load = async (name: string, byteLength: number): Promise<number> => {
      const startMs = context.nowMs()
      assert.equal(await lab.load(name), byteLength)
      return byteLength / 1e3 / (context.nowMs() - startMs)
    }
    const others: string[] = []
    for (const byteLength of [1e6, 10e6, 100e6, gigabyte]) {
      await lab.save(`${byteLength}`, incompressible(byteLength))
      const rates: number[] = []
      for (let k = 0; k <= tableLoads; k++) rates.push(await load(`${byteLength}`, byteLength))
      // The first one warms up.
      others.push(`${byteLength / 1e6} MB at ${median(rates.slice(1)).toFixed(0)} MB/s`)
    }
    const theirs = { name: 'passthrough pull', run: async () => megabytes / (await passthrough.pull(gigabyte)) }
    const ours = (): Promise<number> => load(`${gigabyte}`, gigabyte)
    return { cases: [await compare({ warmUps: 1, ours, theirs }, context)], note: others.join(', ') }
  },
)

/** What of a gigabyte is stored again when a region of 10 MB changed. */
const deltaRow = storeRow(
  { name: 'delta-1gb', unit: 'share', target: atMost(0.03, '') },
  async (lab, cluster, context) => {
    const folder = path.join(meshDirOf(cluster.name), 'data', 'store', 'chunks')
    const state = incompressible(gigabyte)
    await lab.save('delta', state)
    let round = 0
    const ours = async (): Promise<number> => {
      const before = await filesIn(folder)
      round++
      state.fill(round, round * 7_000_003, round * 7_000_003 + 10e6 / 8)
      await lab.save('delta', state)
      const added = [...(await filesIn(folder))].filter(([name]) => !before.has(name))
      return added.reduce((sum, [, bytes]) => sum + bytes, 0) / gigabyte
    }
    return { cases: [await compare({ warmUps: 0, ours, theirs: undefined }, context)] }
  },
)

const writers = 8
const smallSaves = 1_000

/** Many durable saves of 2 KB by eight writers, each of which waits for one before the next. */
const smallRow = storeRow(
  { name: 'small-checkpoints', unit: 'saves/s', target: atLeast(5_000, 'saves/s') },
  async (lab, _cluster, context) => {
    const state = incompressible(2_048)
    const write = async (writer: number): Promise<void> => {
      for (let k = 0; k < smallSaves; k++) await lab.save(`small/${writer}`, state)
    }
    const ours = async (): Promise<number> => {
      const startMs = context.nowMs()
      await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)))
      return (writers * smallSaves) / ((context.nowMs() - startMs) / 1000)
    }
    return { cases: [await compare({ warmUps: 1, ours, theirs: undefined }, context)] }
  },
)

const rounds = 20

/** The most resident memory of the store while 10 GB are saved and as many loaded, in states of 500 MB. */
const memoryRow = storeRow(
  { name: 'store-rss-10gb', unit: 'MB', target: atMost(300, 'MB') },
  async (lab, _cluster, context) => {
    const ours = async (): Promise<number> => {
      let mostBytes = 0
      const over = new AbortController()
      const watching = (async () => {
        while (!over.signal.aborted) {
          mostBytes = Math.max(mostBytes, await residentBytesOf(lab.pid))
          await pause(pollMs)
        }
      })()
      const state = incompressible(gigabyte / 2)
      for (let round = 0; round < rounds; round++) {
        // Every chunk is another one.
        for (let k = round; k < state.length; k += 2 ** 18) state[k] = round
        await lab.save('memory', state)
        await lab.load('memory')
      }
      over.abort()
      await watching
      return mostBytes / 1e6
    }
    return { cases: [await compare({ warmUps: 0, ours, theirs: undefined, repeats: 1 }, context)] }
  },
)

async function filesIn(folder: string): Promise<Map<string, number>> {
  const files = new Map<string, number>()
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.parentPath.endsWith('temporary')) continue
    files.set(entry.name, (await stat(path.join(entry.parentPath, entry.name))).size)
  }
  return files
}

export const checkpointRows: readonly Row[] = [
  overheadRow('checkpoint-overhead', 1, 1.02),
  overheadRow('checkpoint-overhead-busy', 2, 1.06),
  saveRow,
  loadRow,
  deltaRow,
  smallRow,
  memoryRow,
]
