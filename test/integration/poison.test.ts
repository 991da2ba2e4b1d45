import type { Task } from 'costate'
import { expect, test } from 'vitest'

import { rejectionOf, startLocalMesh } from '../harness/local-mesh.js'

interface Tasks {
  readonly poison: Task<[string], never>
  readonly innocent: Task<[number], number>
}

const source = `
import { task } from 'costate'
export const poison = task(import.meta, 'poison', (how) => {
  console.log('about to die')
  if (how === 'abort') process.abort()
  process.kill(process.pid, how)
  for (;;);
})
export const innocent = task(import.meta, 'innocent', async (i, ctx) => {
  await new Promise((resolve) => setTimeout(resolve, 100))
  return ctx.attempt
})
`

// A thread cannot call abort: it ends its process by the signal that abort would send.
const cases = [1, 2].flatMap((threadsPerWorker) => [
  ...['SIGABRT', 'SIGKILL'].map((how) => ({ executor: 'thread' as const, threadsPerWorker, how })),
  ...['abort', 'SIGKILL'].map((how) => ({ executor: 'process' as const, threadsPerWorker, how })),
])

test.each(cases)(
  'one poison task ($how) among innocent ones, $executor executor, $threadsPerWorker slots: it alone is charged, with how it ended',
  async ({ how, ...options }) => {
    await using mesh = await startLocalMesh({ workers: 1, name: 'poison', ...options })
    const { cluster } = mesh
    expect(await cluster.workers()).toMatchObject([{ executor: options.executor, state: 'ready' }])
    const tasks = await mesh.importModule<Tasks>('tasks.mjs', source)
    const before = cluster.map(tasks.innocent, [1, 2])
    const poison = cluster.submit(tasks.poison, how)
    const after = cluster.map(tasks.innocent, [3, 4, 5])
    const failure = await rejectionOf(poison.result())
    expect(failure).toMatchObject({ kind: 'workerLost' })
    // A thread's end is the end of its worker, which the scheduler judges; of a process's end its worker tells.
    if (options.executor === 'thread') expect(failure.message).toMatch(/was lost 4 times, the last time because/)
    else expect(failure).toMatchObject({ reason: 'TASK_PROCESS_LOST', attempts: 4 })
    expect(failure.message).toContain(`was ended by ${how === 'abort' ? 'SIGABRT' : how}`)
    if (options.executor === 'process') expect(failure.message).toContain('about to die')
    const attempts = await cluster.gather([...before, ...after])
    // A slot that is a process of its own takes nobody with it.
    if (options.executor === 'process') expect(attempts).toEqual([1, 1, 1, 1, 1])
  },
)
