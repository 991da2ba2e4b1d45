import { readFile } from 'node:fs/promises'
import path from 'node:path'

import type { Task } from 'costate'
import { expect, test } from 'vitest'

import { type LocalMesh, rejectionOf, startLocalMesh } from '../harness/local-mesh.js'
import { waitForFile } from '../harness/marker-file.js'

interface Tasks {
  readonly block: Task<[string], void>
  readonly neighbour: Task<[string, number], number>
}

// A synchronous call of native code: no thread that is in one can be ended.
const source = `
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { task } from 'costate'
export const block = task(import.meta, 'block', (marker) => {
  writeFileSync(marker, String(process.pid))
  execFileSync('sleep', ['20'])
})
export const neighbour = task(import.meta, 'neighbour', async (marker, ms, ctx) => {
  writeFileSync(marker, '')
  if (ctx.attempt === 1) await new Promise((resolve) => setTimeout(resolve, ms))
  return ctx.attempt
})
`

/** One task in a native call that is not to go on, and one beside it. */
async function blockBeside(mesh: LocalMesh, stop: 'timeout' | 'cancel', neighbourMs: number) {
  const { cluster } = mesh
  const tasks = await mesh.importModule<Tasks>('tasks.mjs', source)
  const markers = ['neighbour', 'block'].map((name) => path.join(mesh.userDir, name))
  const neighbour = cluster.submit(tasks.neighbour, markers[0] as string, neighbourMs)
  await waitForFile(markers[0] as string)
  const options = stop === 'timeout' ? { timeout: 2_000 } : {}
  const blocked = cluster.with(options).submit(tasks.block, markers[1] as string)
  await waitForFile(markers[1] as string)
  if (stop === 'cancel') await blocked.cancel()
  return { failure: await rejectionOf(blocked.result()), attempt: await neighbour.result() }
}

test.each(['timeout', 'cancel'] as const)(
  'a thread that is stuck after a %s ends its worker; its neighbour runs again, and nobody else is charged',
  async (stop) => {
    await using mesh = await startLocalMesh({ workers: 1, threadsPerWorker: 2, name: 'stuck' })
    const [before] = await mesh.cluster.workers()
    const { failure, attempt } = await blockBeside(mesh, stop, 60_000)
    expect(failure).toMatchObject({ kind: stop === 'cancel' ? 'cancelled' : 'timeout' })
    expect(attempt).toBe(2)
    const [after] = await mesh.cluster.workers()
    expect(after?.pid).not.toBe(before?.pid)
  },
)

test('the processes of a worker that is killed end with it, whatever they do', async () => {
  await using mesh = await startLocalMesh({ workers: 1, executor: 'process', name: 'killed' })
  const tasks = await mesh.importModule<Tasks>('tasks.mjs', source)
  const marker = path.join(mesh.userDir, 'block')
  const blocked = mesh.cluster.submit(tasks.block, marker)
  await waitForFile(marker)
  const child = await readFile(marker, 'utf8')
  const [worker] = await mesh.cluster.workers()
  process.kill((worker as { pid: number }).pid, 'SIGKILL')
  await expect.poll(async () => isRunning(Number(child))).toBe(false)
  await blocked.cancel()
})

test('a process that is stuck is ended alone', async () => {
  await using mesh = await startLocalMesh({ workers: 1, threadsPerWorker: 2, executor: 'process', name: 'stuck' })
  const { failure, attempt } = await blockBeside(mesh, 'timeout', 8_000)
  expect(failure).toMatchObject({ kind: 'timeout' })
  expect(attempt).toBe(1)
})

async function isRunning(pid: number): Promise<boolean> {
  // A zombie has ended, though its number is still taken.
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  return status !== '' && !/^State:\s+Z/m.test(status)
}
