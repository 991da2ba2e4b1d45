import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { afterEach, beforeEach, expect, test } from 'vitest'

import { findMeshProcesses, recordMeshProcess } from './index.js'

let meshDir: string
beforeEach(async () => {
  meshDir = await mkdtemp(path.join(tmpdir(), 'costate-processes-'))
})
afterEach(() => rm(meshDir, { recursive: true }))

function startIdle(...args: string[]) {
  return spawn(process.execPath, ['-e', 'process.stdin.resume()', '--', ...args], {
    stdio: ['pipe', 'ignore', 'ignore'],
  })
}

test('a mesh has the recorded processes that still run for it', async () => {
  const mine = startIdle('--mesh-dir', meshDir, '--slots', '1')
  const foreign = startIdle('--mesh-dir', `${meshDir}2`)
  const ended = startIdle('--mesh-dir', meshDir)
  const gone = once(ended, 'exit')
  ended.stdin.end()
  await gone
  for (const { pid } of [mine, foreign, ended]) recordMeshProcess(meshDir, pid ?? 0)
  // The test itself stands for a stranger that got the number of a process that ended.
  recordMeshProcess(meshDir, process.pid)

  expect(await findMeshProcesses(meshDir)).toEqual([mine.pid])

  for (const child of [mine, foreign]) child.stdin.end()
})

test('a folder without a record has no processes', async () => {
  expect(await findMeshProcesses(path.join(meshDir, 'nowhere'))).toEqual([])
})
