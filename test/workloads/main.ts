import { writeFile } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'
import { parseArgs } from 'node:util'

import { type Cluster, createLocalCluster } from 'costate'

import { workloads } from './index.js'
import { judge } from './judgement.js'
import { readReference } from './reference-files.js'

/**
 * `make answers`: computes all workloads through a mesh of real processes, judges the answers, and writes them. With `--kill` a worker that
 * has work is killed when half of them are done: the file is the same to the last byte.
 */
const { values } = parseArgs({
  options: {
    out: { type: 'string', default: 'results.json' },
    workers: { type: 'string', default: '2' },
    kill: { type: 'boolean', default: false },
    /** Only workloads whose names begin so. */
    only: { type: 'string', default: '' },
  },
})
const chosen = workloads.filter(({ name }) => name.startsWith(values.only))
await using cluster = await createLocalCluster({ workers: Number(values.workers), runDir: '.costate/answers' })
const answers: Record<string, unknown> = {}
let wrong = 0
const finished = new AbortController()
let killed: Promise<boolean> | undefined
const beginMs = performance.now()
for (const [index, workload] of chosen.entries()) {
  const { name } = workload
  const startMs = performance.now()
  if (values.kill && index === Math.floor(chosen.length / 2)) killed = killBusyWorker(cluster, finished.signal)
  const got = await workload.answer(cluster)
  const complaints = judge(await readReference(name), got)
  for (const complaint of complaints) console.log(`wrong: ${complaint}`)
  wrong += complaints.length
  answers[name] = got
  console.log(
    `${complaints.length === 0 ? 'right' : 'WRONG'} ${name} ${((performance.now() - startMs) / 1000).toFixed(1)} s`,
  )
}
finished.abort()
const isUnharmed = (await killed) === false
if (isUnharmed) console.log('wrong: no worker was seen at work, so none was killed')
await writeFile(values.out, `${JSON.stringify(answers, undefined, 1)}\n`)
console.log(`${chosen.length} answers in ${values.out} after ${((performance.now() - beginMs) / 1000).toFixed(0)} s`)
process.exitCode = wrong === 0 && !isUnharmed ? 0 : 1

/** Kills the first worker that is seen to have a task; false when all is over before. */
async function killBusyWorker(mesh: Cluster, over: AbortSignal): Promise<boolean> {
  while (!over.aborted) {
    const busy = (await mesh.workers()).find(({ assignedTasks }) => assignedTasks > 0)
    if (busy !== undefined) {
      process.kill(busy.pid, 'SIGKILL')
      console.log(`killed worker ${busy.id}, which had ${busy.assignedTasks} tasks`)
      return true
    }
    await setTimeout(5)
  }
  return false
}
