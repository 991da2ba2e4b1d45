import path from 'node:path'

import type { Task } from 'costate'
import { expect, test } from 'vitest'

import { startLocalMesh } from '../harness/local-mesh.js'
import { waitForFile } from '../harness/marker-file.js'
import { joinScriptedWorker } from '../harness/scripted-worker.js'

interface Tasks {
  readonly block: Task<[string], void>
  readonly total: Task<[Float64Array], string>
}

const source = `
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { task } from 'costate'
export const block = task(import.meta, 'block', async (marker, ctx) => {
  writeFileSync(marker, '')
  await once(ctx.signal, 'abort')
})
export const total = task(import.meta, 'total', (xs) => process.pid + ' ' + xs.reduce((sum, x) => sum + x, 0))
`

const idleId = 'w-idle'
const length = 1_000_000
const usualMs = 600_000

test('a task waits for the busy holder of its inputs while another worker is idle, unless that one gets them sooner', async () => {
  await using mesh = await startLocalMesh({ workers: 1, threadsPerWorker: 1 })
  const { block, total } = await mesh.importModule<Tasks>('tasks.mjs', source)
  const { cluster } = mesh
  const [holder] = await cluster.workers()
  if (holder === undefined) throw new Error('no worker is there')
  const xs = await cluster.scatter(Float64Array.from({ length }, () => 1))

  const idle = await joinScriptedWorker(mesh.meshDir, idleId)
  /** The scheduler has heard how fast the idle worker is, and that a task like the one which occupies the holder takes long. */
  const learn = async (fetchBytesPerSecond: number): Promise<void> => {
    const learnt = cluster.with({ workers: [idleId] }).submit(block, 'nowhere')
    const sent = await idle.hearTask()
    // Whatever else it was sent would have come before.
    expect(sent.taskId).toBe(learnt.id)
    idle.sayAlive(fetchBytesPerSecond)
    idle.sayFinished(sent, usualMs)
    await learnt.result()
  }
  const occupyHolder = async (name: string) => {
    const marker = path.join(mesh.runDir, name)
    const occupant = cluster.with({ workers: [holder.id] }).submit(block, marker)
    await waitForFile(marker)
    return occupant
  }

  await learn(1_000)
  const first = await occupyHolder('first')
  const waiting = cluster.submit(total, xs)
  await waiting.job.submitted
  const why = await cluster.explain(waiting)
  expect(why).toContain(`waits for worker ${holder.id}`)
  expect(why).toContain('which holds 8.0 MB of its inputs: moving them takes 2h 13m')
  await first.cancel()
  expect(await waiting.result()).toBe(`${holder.pid} ${length}`)

  await learn(1e9)
  const second = await occupyHolder('second')
  const moved = cluster.submit(total, xs)
  expect((await idle.hearTask()).taskId).toBe(moved.id)
  expect(await cluster.explain(moved)).toContain(`was sent to ${idleId}`)
  // What has not run goes back to the others with the worker.
  idle.leave()
  await second.cancel()
  expect(await moved.result()).toBe(`${holder.pid} ${length}`)
})
