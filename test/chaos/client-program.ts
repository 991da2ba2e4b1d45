import { asCompleted, connect, type Job } from 'costate'

import { runTimesMs } from './run-times.js'
import { visit } from './tasks.mjs'

/**
 * A client of its own process, to be killed: submits the job, or takes it up by its id, and writes each settle that it
 * hears as a line of JSON.
 */
const [mesh = '', folder = '', what = '', ...rest] = process.argv.slice(2)
const cluster = await connect(mesh)
const job = what === 'attach' ? await cluster.attach(rest[0] ?? '') : submit(Number(rest[0]), Number(rest[1]))
await job.submitted
say({ jobId: job.id })
const indices = new Map(job.futures.map((future, index) => [future, index]))
for await (const future of asCompleted(job.futures)) {
  const { timing, error } = future
  const value = error === undefined ? await future.result() : error.message
  say({ index: indices.get(future), value, attempt: timing?.attempt, startedAtMs: timing?.startedAtMs })
}
say({ complete: true })
await cluster.close()

function submit(tasks: number, seed: number): Job {
  const times = runTimesMs(tasks, seed)
  const folders = times.map(() => folder)
  const futures = cluster.with({ detached: true }).map(visit, folders, times.keys(), times)
  const [first] = futures
  if (first === undefined) throw new Error('there are no tasks to submit')
  return first.job
}

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}
