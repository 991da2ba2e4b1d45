// A program of its own, because a cluster starts once in a process: createLocalCluster to first result, in seconds.
import { createLocalCluster } from 'costate'

import { noop } from './tasks.mjs'

const [runDir, workers] = process.argv.slice(2)
const startMs = performance.now()
const cluster = await createLocalCluster({ workers: Number(workers), threadsPerWorker: 1, runDir })
const result = await cluster.submit(noop, 7).result()
const seconds = (performance.now() - startMs) / 1000
await cluster.close()
if (result !== 7) throw new Error(`the first result is ${result} and not 7`)
console.log(seconds)
