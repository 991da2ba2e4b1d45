import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'

import { createLocalCluster } from 'costate'

import { workloads } from './index.js'
import { judge } from './judgement.js'
import { readReference } from './reference-files.js'

/** `make answers`: computes all workloads through a mesh of real processes, judges the answers, and writes them. */
const { values } = parseArgs({
  options: { out: { type: 'string', default: 'results.json' }, workers: { type: 'string', default: '2' } },
})
await using cluster = await createLocalCluster({ workers: Number(values.workers), runDir: '.costate/answers' })
const answers: Record<string, unknown> = {}
let wrong = 0
for (const workload of workloads) {
  const { name } = workload
  const startMs = performance.now()
  const got = await workload.answer(cluster)
  const complaints = judge(await readReference(name), got)
  for (const complaint of complaints) console.log(`wrong: ${complaint}`)
  wrong += complaints.length
  answers[name] = got
  console.log(`${complaints.length === 0 ? 'right' : 'WRONG'} ${name} ${((performance.now() - startMs) / 1000).toFixed(1)} s`)
}
await writeFile(values.out, `${JSON.stringify(answers, undefined, 1)}\n`)
console.log(`${workloads.length} answers in ${values.out}`)
process.exitCode = wrong === 0 ? 0 : 1
