import path from 'node:path'

import { type GraphBuilder, type Task, type TaskFuture, TaskError } from 'costate'
import { expect, test } from 'vitest'

import { rejectionOf, startLocalMesh } from '../harness/local-mesh.js'

interface Tasks {
  readonly next: Task<[number], number>
  readonly grow: Task<[Float64Array], Float64Array>
  readonly dieOnce: Task<[number, marker: string], number>
  readonly fail: Task<[number], number>
}

const source = `
import { existsSync, writeFileSync } from 'node:fs'
import { task } from 'costate'
export const next = task(import.meta, 'next', (value) => value + 1)
export const grow = task(import.meta, 'grow', (values) => values.map((value) => value + 1))
export const dieOnce = task(import.meta, 'dieOnce', (value, marker) => {
  if (existsSync(marker)) return value + 1
  writeFileSync(marker, '')
  process.kill(process.pid, 'SIGKILL')
  for (;;);
})
export const fail = task(import.meta, 'fail', () => { throw new RangeError('boom') })
`

/** The futures of a chain: each link takes the one before, the first takes `start`. */
function chain<T>(
  graph: GraphBuilder,
  length: number,
  start: T,
  link: (before: T | TaskFuture<T>, index: number) => TaskFuture<T>,
): TaskFuture<T>[] {
  const links: TaskFuture<T>[] = []
  for (let index = 0; index < length; index++) links.push(link(links.at(-1) ?? start, index))
  return links
}

test.each(['thread', 'process'] as const)(
  'a chain whose worker is killed in the middle goes on elsewhere, %s executor',
  async (executor) => {
    await using mesh = await startLocalMesh({ workers: 2, threadsPerWorker: 1, executor, name: 'chain' })
    const { cluster } = mesh
    const { next, dieOnce } = await mesh.importModule<Tasks>('tasks.mjs', source)
    const marker = path.join(mesh.userDir, `died in a ${executor}`)
    await cluster.gather(cluster.map(next, [1, 2]))
    const links = cluster.graph((graph) =>
      chain(graph, 600, 0, (before, index) =>
        index === 300 ? graph.task(dieOnce, before, marker) : graph.task(next, before),
      ),
    )
    const values = await cluster.gather(links)
    expect(values).toEqual(links.map((_, index) => index + 1))
  },
)

test.each(['thread', 'process'] as const)(
  'a link that fails reaches every link behind it with its cause, and the next chain is whole, %s executor',
  async (executor) => {
    await using mesh = await startLocalMesh({ workers: 1, threadsPerWorker: 1, executor, name: 'chain' })
    const { cluster } = mesh
    const { next, fail, grow } = await mesh.importModule<Tasks>('tasks.mjs', source)
    await cluster.gather(cluster.map(next, [1, 2]))
    const links = cluster.graph((graph) =>
      chain(graph, 200, 0, (before, index) => graph.task(index === 100 ? fail : next, before)),
    )
    expect(await cluster.gather(links.slice(0, 100))).toEqual(links.slice(0, 100).map((_, index) => index + 1))
    expect(await rejectionOf(links[100]!.result())).toMatchObject({
      kind: 'userError',
      message: expect.stringContaining('boom') as string,
    })
    for (const link of links.slice(101)) {
      const failure = await rejectionOf(link.result())
      expect(failure).toBeInstanceOf(TaskError)
      expect(failure).toMatchObject({ kind: 'input', reason: 'INPUT_FAILED' })
      expect(failure.message).toContain('boom')
    }
    // Large results go from link to link in the slot's own memory.
    const grown = cluster.graph((graph) =>
      chain<Float64Array>(graph, 100, new Float64Array(10_000), (before) => graph.task(grow, before)),
    )
    const values = await cluster.gather(grown)
    expect(values.map((array) => [array.length, array[0], array.at(-1)])).toEqual(
      grown.map((_, index) => [10_000, index + 1, index + 1]),
    )
  },
)
