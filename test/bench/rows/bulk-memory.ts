import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'

import { meshDirOf } from '#libs/lifecycle'
import { loadSecurity } from '#libs/rpc'
import { createMemorySink, createTransferPool, type Sink } from '#libs/transfer'

import { compare } from '../contest.js'
import { startCluster } from '../contestants.js'
import { answerHeapQuestions, heapBytesOf } from '../heap/heap-facts.js'
import { residentBytesOf, schedulerOf } from '../process-facts.js'
import type { Row } from '../row.js'
import { atMost } from '../target.js'
import { ramp, total } from '../tasks.mjs'

/** 256 MB of float64. */
const length = 32_000_000
const sumOfRamp = (length * (length - 1)) / 2
/** By then a process has given back what it needed only for what came before. */
const settleMs = 3_000
const pollMs = 100

const readerBytesPerS = 1e6
const readMs = 10_000
/** The reader's window of the connection, and what it gives credit for. */
const windowMb = ((8 + 16) * 2 ** 20) / 1e6

/** Where 20 GB go: as many arrays from the client to a worker, and as many results back. */
const rounds = 40

/** What a worker takes beside the array that it sends to somebody who reads a megabyte a second. */
const slowReader: Row = {
  name: 'slow-reader',
  unit: 'MB',
  target: atMost(Math.floor(windowMb), 'MB'),
  measure: async (context) => {
    const ours = async (): Promise<number> => {
      await using cluster = await startCluster(context)
      const future = cluster.submit(ramp, length)
      await future.settled()
      await pause(settleMs)
      const [worker] = (await cluster.workers()).filter(({ heldObjects }) => heldObjects > 0)
      assert(worker)
      const pool = createTransferPool(await loadSecurity(meshDirOf(cluster.name), 'client'))
      const abort = new AbortController()
      const idleBytes = await residentBytesOf(worker.pid)
      let readBytes = 0
      const read = pool.worker(worker.addresses).get(
        { $case: 'objectId', value: future.id },
        (header) =>
          slowly(
            createMemorySink(header, () => undefined),
            (bytes) => (readBytes += bytes),
          ),
        { signal: abort.signal },
      )
      let mostBytes = idleBytes
      const startMs = context.nowMs()
      while (context.nowMs() - startMs < readMs) {
        await pause(pollMs)
        mostBytes = Math.max(mostBytes, await residentBytesOf(worker.pid))
      }
      abort.abort()
      await assert.rejects(read)
      pool.close()
      assert(readBytes > 0 && readBytes < 2 * readerBytesPerS * (readMs / 1000), `${readBytes} bytes were read`)
      return (mostBytes - idleBytes) / 1e6
    }
    return { cases: [await compare({ warmUps: 0, ours, theirs: undefined }, context)] }
  },
}

/** Takes each piece as slowly as the reader reads. */
function slowly(sink: Sink, took: (bytes: number) => void): Sink {
  return {
    write: async ({ byteLength }) => {
      await pause((byteLength / readerBytesPerS) * 1000)
      took(byteLength)
    },
    commit: (digest) => sink.commit(digest),
    abort: () => sink.abort(),
  }
}

/** What some memory of the scheduler's grows by while 20 GB move client → worker → client past it. */
function schedulerRow(name: string, mostMb: number, bytesOf: (pid: number) => Promise<number>): Row {
  const measure: Row['measure'] = async (context) => {
    const ours = async (): Promise<number> => {
      await using cluster = await startCluster(context)
      const scheduler = await schedulerOf(cluster)
      const array = Float64Array.from({ length }, (_, k) => k)
      const move = async (): Promise<void> => {
        const object = await cluster.scatter(array)
        assert.equal(await cluster.submit(total, object).result(), sumOfRamp)
        const back = await object.result()
        assert(back.length === length && back[length - 1] === length - 1)
        object.release()
      }
      await move()
      await pause(settleMs)
      const idleBytes = await bytesOf(scheduler)
      let mostBytes = idleBytes
      for (let round = 0; round < rounds; round++) {
        await move()
        mostBytes = Math.max(mostBytes, await bytesOf(scheduler))
      }
      return (mostBytes - idleBytes) / 1e6
    }
    return { cases: [await compare({ warmUps: 0, ours, theirs: undefined }, context)] }
  }
  return { name, unit: 'MB', target: atMost(mostMb, 'MB'), measure }
}

/** Its heap and what hangs on it, after a collection: resident memory has what the allocator keeps, too. */
const heapRow = schedulerRow('scheduler-heap-20gb', 20, heapBytesOf)
const schedulerHeap: Row = {
  ...heapRow,
  measure: async (context) => {
    using _ = answerHeapQuestions()
    return await heapRow.measure(context)
  },
}

export const bulkMemoryRows: readonly Row[] = [
  slowReader,
  schedulerHeap,
  schedulerRow('scheduler-rss-20gb', 80, residentBytesOf),
]
