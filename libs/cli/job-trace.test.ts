import { mkdtemp, rm, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { afterEach, beforeEach, expect, test } from 'vitest'

import { attribute, extractTrace, recordSpan, startTelemetry } from '#libs/telemetry'

import { findJobTrace, listRunDirs } from './job-trace.js'

let workingDir: string
beforeEach(async () => {
  workingDir = await mkdtemp(path.join(tmpdir(), 'costate-runs-'))
  process.env['COSTATE_HOME'] = path.join(workingDir, 'home')
})
afterEach(() => rm(workingDir, { recursive: true }))

/** A run whose program submitted these jobs below one span of its own. */
async function run(name: string, jobIds: readonly string[], changedAt: Date): Promise<string> {
  const runDir = path.join(workingDir, '.costate', 'runs', name)
  const telemetry = startTelemetry({ service: 'client', instanceId: name, runDir })
  const program = recordSpan({ name: 'program', startMs: 0, endMs: 9, parent: extractTrace({}) })
  for (const jobId of jobIds) {
    const attributes = { [attribute.jobId]: jobId }
    const submit = recordSpan({ name: `submit ${jobId}`, startMs: 1, endMs: 2, parent: program, attributes })
    recordSpan({ name: `queue ${jobId}`, startMs: 2, endMs: 3, parent: submit, attributes })
  }
  await telemetry.shutdown()
  await utimes(path.join(runDir, 'traces'), changedAt, changedAt)
  return runDir
}

test('run folders come newest first', async () => {
  const older = await run('a', ['j-1'], new Date(1000))
  const newer = await run('b', ['j-2'], new Date(2000))

  expect(await listRunDirs(workingDir)).toEqual([newer, older])
})

test('a working folder without runs has none', async () => {
  expect(await listRunDirs(path.join(workingDir, 'elsewhere'))).toEqual([])
})

test('the newest run that knows the job has its trace, without the other jobs of the same program', async () => {
  const older = await run('a', ['j-1', 'j-2'], new Date(1000))
  await run('b', ['j-3'], new Date(2000))

  const trace = await findJobTrace('j-2', await listRunDirs(workingDir))

  expect(trace?.runDir).toBe(older)
  expect(trace?.nodes.map(({ span, children }) => [span.name, children.map((child) => child.span.name)])).toEqual([
    ['submit j-2', ['queue j-2']],
  ])
})

test('a job that no run knows has no trace', async () => {
  await run('a', ['j-1'], new Date(1000))

  expect(await findJobTrace('j-9', await listRunDirs(workingDir))).toBeUndefined()
})
