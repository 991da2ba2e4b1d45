import { cp, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import type { Task } from 'costate'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'

import { type LocalMesh, startLocalMesh } from '../harness/local-mesh.js'
import { type ProgramEnd, runToEnd } from '../harness/program.js'
import { preparePython, type PythonEnvironment } from './python-environment.js'

const here = fileURLToPath(new URL('.', import.meta.url))
const tasksUrl = new URL('tasks.mjs', import.meta.url).href
/** The packages come from the network the first time. */
const installTimeoutMs = 300_000

let environment: PythonEnvironment
let mesh: LocalMesh

beforeAll(async () => {
  environment = await preparePython()
  if (environment.kind === 'missing') {
    console.warn(`\nThe Python client is NOT tested: ${environment.reason}\n`)
    return
  }
  mesh = await startLocalMesh({ workers: 2 })
  const tasks = (await import(/* @vite-ignore */ tasksUrl)) as Record<string, Task<never, unknown>>
  for (const [name, task] of Object.entries(tasks)) await mesh.cluster.register(task, { name, version: '1' })
}, installTimeoutMs)

afterAll(async () => {
  if (environment.kind === 'ready') await mesh.close()
})

beforeEach(({ skip }) => {
  if (environment.kind === 'missing') skip(environment.reason)
})

async function runClient(meshDir: string): Promise<ProgramEnd> {
  if (environment.kind === 'missing') throw new Error(environment.reason)
  const env = { PYTHONDONTWRITEBYTECODE: '1' }
  return await runToEnd(environment.python, [path.join(here, 'client.py'), meshDir], { env })
}

test('Python scatters, submits, waits and gathers bit for bit, and reads a rich error', async () => {
  const { code, stdout, stderr } = await runClient(mesh.meshDir)

  expect(stderr).toBe('')
  expect(stdout.split('\n')).toEqual([
    expect.stringMatching(/^scattered 120005 numbers to w-\w+ as o-/),
    expect.stringMatching(/^job j-\w+ settled as JOB_STATE_FINISHED$/),
    expect.stringMatching(/^task j-\w+\/0: 960040 bytes from w-\w+$/),
    expect.stringMatching(/^task j-\w+\/1: \d+ bytes in the answer$/),
    'all 120005 numbers are right, bit for bit',
    expect.stringMatching(
      /^a job that is not there: NOT_FOUND costate\/JOB_NOT_FOUND \{'jobId': 'j-nowhere'\}: job j-nowhere /,
    ),
    '',
  ])
  expect(code).toBe(0)
})

test('Python is told who it is not', async () => {
  const strange = path.join(mesh.userDir, 'strange-mesh')
  await cp(mesh.meshDir, strange, { recursive: true, filter: (file) => !file.includes('data') })
  await writeFile(path.join(strange, 'tokens', 'client'), 'ct1.client.AAAA\n')

  const { code, stderr } = await runClient(strange)

  expect(stderr).toContain('UNAUTHENTICATED costate/')
  expect(code).toBe(1)
})
