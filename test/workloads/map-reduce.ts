import { createHash } from 'node:crypto'

import { type Cluster, task, type TaskContext } from 'costate'
import { faultTolerantMap, scatterGatherReduction } from 'costate/primitives'

import type { Workload } from './workload.js'

interface Chains {
  readonly argmax: number
  readonly length: number
  readonly total_length: number
}

const blockSize = 5_000

/** The longest Collatz chain that begins in a block of numbers, and the length of all of them. */
export const chainsOf = task(import.meta, 'chainsOf', (block: number): Chains => {
  let [argmax, length, total] = [0, 0, 0]
  for (let n = Math.max(1, block * blockSize); n < (block + 1) * blockSize; n++) {
    let own = 1
    for (let at = n; at !== 1; at = at % 2 === 0 ? at / 2 : 3 * at + 1) own++
    total += own
    if (own > length) [argmax, length] = [n, own]
  }
  return { argmax, length, total_length: total }
})

/** The left one comes first, and wins when both are as long. */
export const longerChain = task(import.meta, 'longerChain', (a: Chains, b: Chains): Chains => ({
  ...(b.length > a.length ? b : a),
  total_length: a.total_length + b.total_length,
}))

async function answerCollatz(cluster: Cluster): Promise<Record<string, unknown>> {
  const data = Array.from({ length: 1e6 / blockSize }, (_, block) => block)
  const found = await scatterGatherReduction({ cluster, data, mapFn: chainsOf, reduceFn: longerChain })
  // As the collection writes it.
  return { ...found, total_length: String(found.total_length) }
}

/** How often a task of the flaky map fails before it gives its value. */
const failuresOf = (i: number): number => ((7_919 * i) % 10 < 3 ? (i % 3) + 1 : 0)

/**
 * Counts its runs in its checkpoint: `ctx.attempt` also counts what was sent to a worker and asked back before it ran, so it is no
 * number of failures.
 */
export const flakyPower = task(import.meta, 'flakyPower', async (i: number, { checkpoint }: TaskContext) => {
  const fails = failuresOf(i)
  const run = fails === 0 ? 1 : ((await checkpoint.load<number>())?.state ?? 0) + 1
  if (run <= fails) {
    await checkpoint.save(run)
    throw new Error(`run ${run} of task ${i} was to fail`)
  }
  let power = 1
  for (let k = 0; k < i; k++) power = (power * 3) % 1_000_003
  return { power, run }
})

async function answerFlakyMap(cluster: Cluster): Promise<Record<string, unknown>> {
  const inputs = Array.from({ length: 1_000 }, (_, i) => i)
  const retry = { backoff: 1, factor: 1 }
  const { results, failures } = await faultTolerantMap(flakyPower, inputs, { cluster, maxRetries: 4, retry })
  if (failures.length > 0) throw new Error(`${failures.length} tasks of the flaky map failed`, { cause: failures[0] })
  const done = results.map((result) => result!)
  const limited = await faultTolerantMap(flakyPower, inputs, { cluster, maxRetries: 2, retry })
  const runs = done.reduce((sum, { run }) => sum + run, 0)
  return {
    sum: done.reduce((sum, { power }) => sum + power, 0),
    ordered_sha256: createHash('sha256').update(done.map(({ power }) => power).join(',')).digest('hex'),
    failing_tasks: done.filter(({ run }) => run > 1).length,
    ...{ total_failures: runs - done.length, total_attempts: runs },
    histogram: [1, 2, 3, 4].map((count) => done.filter(({ run }) => run === count).length),
    failed_with_limit_2: limited.failures.map(({ index }) => index),
  }
}

export const mapReduceWorkloads: readonly Workload[] = [
  { name: 'mr-collatz', section: 'map-reduce', answer: answerCollatz },
  { name: 'ft-flaky-map', section: 'map-reduce', answer: answerFlakyMap },
]
