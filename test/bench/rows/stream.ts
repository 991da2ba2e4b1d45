import assert from 'node:assert/strict'

import { createLocalCluster, shared } from 'costate'

import { DigestAlgorithm } from '#libs/proto'
import { createDigester } from '#libs/transfer'

import { compare } from '../contest.js'
import { residentBytesOf } from '../process-facts.js'
import type { Row } from '../row.js'
import { atMost } from '../target.js'
import { lastOf } from '../tasks.mjs'

const limitMb = 2_000
/** 8 GB of float64 in chunks of 64 MB. */
const chunks = 125
const length = 8_000_000
const megabytes = (chunks * length * Float64Array.BYTES_PER_ELEMENT) / 1e6
const pollMs = 100

/** Looks at how much memory a process takes, until the end, which says how much it was at most, in MB. */
function watchPeak(pid: number): { end(): number } {
  let mostBytes = 0
  const timer = setInterval(() => {
    residentBytesOf(pid).then(
      (bytes) => (mostBytes = Math.max(mostBytes, bytes)),
      () => undefined,
    )
  }, pollMs)
  return {
    end: () => {
      clearInterval(timer)
      return mostBytes / 1e6
    },
  }
}

/** An array that nobody has room for goes through one worker; the figure is what the worker takes for it at most. */
const stream: Row = {
  name: 'stream-8gb',
  unit: 'MB',
  target: atMost(limitMb, 'MB'),
  measure: async (context) => {
    const notes: string[] = []
    const ours = async (): Promise<number> => {
      const { runDir, nowMs } = context
      await using cluster = await createLocalCluster({ workers: 1, runDir, memoryLimit: `${limitMb}MB` })
      const [worker] = await cluster.workers()
      assert(worker)
      const peak = watchPeak(worker.pid)
      const [sent, received] = [DigestAlgorithm.XXH64, DigestAlgorithm.XXH64].map(createDigester)
      assert(sent && received)
      const bytesOf = ({ buffer, byteOffset, byteLength }: Float64Array): Uint8Array =>
        new Uint8Array(buffer, byteOffset, byteLength)
      async function* array(): AsyncGenerator<Float64Array> {
        for (let chunk = 0; chunk < chunks; chunk++) {
          const numbers = new Float64Array(length)
          for (let k = 0; k < length; k++) numbers[k] = chunk * length + k
          sent?.update(bytesOf(numbers))
          yield numbers
        }
      }
      const startMs = nowMs()
      const scattered = await cluster.scatter(array())
      const scatteredMs = nowMs()
      const [after] = await cluster.workers()
      for await (const chunk of scattered.chunks()) received.update(bytesOf(chunk))
      const gatheredMs = nowMs()
      const peakMb = peak.end()
      assert(received.digest().equals(sent.digest()), 'what came back is not what was sent')
      assert(after && after.spilledBytes > 0, 'nothing was spilled')
      assert.equal((await cluster.workers())[0]?.id, worker.id, 'the worker was started again')
      const rate = (ms: number): number => Math.round(megabytes / (ms / 1000))
      notes.push(`${rate(scatteredMs - startMs)} MB/s in, ${rate(gatheredMs - scatteredMs)} MB/s out`)
      return peakMb
    }
    const result = await compare({ warmUps: 0, ours, theirs: undefined, repeats: 1 }, context)
    return { cases: [result], note: notes.join('; ') }
  },
}

/** More than a buffer of bytes has in Node 20. Mostly zeros, which take the program no memory. */
const longLength = 577_136_230
const longMegabytes = (longLength * Float64Array.BYTES_PER_ELEMENT) / 1e6

/** One array goes to a worker, a task there shares it, and it comes back in pieces; the figure is what the worker takes for it at most. */
const long: Row = {
  name: 'array-4600mb',
  unit: 'MB',
  // A second copy would be twice as much.
  target: atMost(Math.round(1.15 * longMegabytes), 'MB'),
  measure: async (context) => {
    const notes: string[] = []
    const ours = async (): Promise<number> => {
      const { runDir, nowMs } = context
      await using cluster = await createLocalCluster({ workers: 1, runDir })
      const [worker] = await cluster.workers()
      assert(worker)
      const peak = watchPeak(worker.pid)
      const places = [0, 2 ** 29 - 1, 2 ** 29, longLength - 1]
      const array = new Float64Array(longLength)
      for (const place of places) array[place] = place + 0.5
      const startMs = nowMs()
      const scattered = await cluster.scatter(array)
      const scatteredMs = nowMs()
      assert.equal(await cluster.submit(lastOf, shared(scattered)).result(), longLength - 0.5)
      const ranMs = nowMs()
      let start = 0
      for await (const chunk of scattered.chunks({ chunkBytes: '64MB' })) {
        const end = start + chunk.length
        for (const place of places) if (place >= start && place < end) assert.equal(chunk[place - start], place + 0.5)
        start = end
      }
      assert.equal(start, longLength)
      const gatheredMs = nowMs()
      const peakMb = peak.end()
      const rate = (ms: number): number => Math.round(longMegabytes / (ms / 1000))
      notes.push(`${rate(scatteredMs - startMs)} MB/s in, ${rate(gatheredMs - ranMs)} MB/s out`)
      return peakMb
    }
    const result = await compare({ warmUps: 0, ours, theirs: undefined, repeats: 1 }, context)
    return { cases: [result], note: notes.join('; ') }
  },
}

export const streamRows: readonly Row[] = [stream, long]
