import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type AnyTask, combinator, createInlineContext, task } from '#libs/task'
import { loadBundle } from './load.js'
import { bundleTask } from './task-bundle.js'
import { unpackBundle } from './unpack.js'

let folder: string
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'costate-composed-')))
})
afterEach(() => rmSync(folder, { recursive: true }))

/** Writes a module and declares, as importing it would, a task that it exports. */
function declare(path: string, source: string, taskName: string): AnyTask {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), source)
  return task({ url: urlOf(path) } as ImportMeta, taskName, () => 'declared here')
}

function urlOf(path: string): string {
  return pathToFileURL(join(folder, path)).href
}

const chain = `
  import { combinator } from 'costate'
  export const chain = combinator(import.meta, 'chain', ({ first, second }) =>
    async (x, ctx) => second(await first(x, ctx), ctx))`

type Chain = (parts: { first: AnyTask; second: AnyTask }) => AnyTask

function declareChain(): Chain {
  writeFileSync(join(folder, 'chain.ts'), chain)
  return combinator({ url: urlOf('chain.ts') } as ImportMeta, 'chain', () => () => 'declared here')
}

/** Ships a composed task to where its sources are not, and runs it there. */
async function runShipped(composed: AnyTask, ...args: unknown[]): Promise<unknown> {
  const { archive, digest } = await bundleTask(composed)
  const bundle = await loadBundle(await unpackBundle(archive, join(folder, 'worker'), digest))
  const call = bundle.find(composed.taskName) as unknown as (...args: unknown[]) => Promise<unknown>
  return await call(...args, createInlineContext())
}

test('a task made of tasks of two modules travels as one bundle, and so does one made of that', async () => {
  const half = declare(
    'a/half.ts',
    `import { task } from 'costate'\nexport const half = task(import.meta, 'half', (x: number) => x / 2)`,
    'half',
  )
  const next = declare(
    'b/next.ts',
    `import { task } from 'costate'\nexport const renamed = task(import.meta, 'next', (x: number) => x + 1)`,
    'next',
  )
  const makeChain = declareChain()
  const composed = makeChain({ first: half, second: next })

  expect(composed.taskName).toBe('chain(half, next)')
  expect(await runShipped(composed, 10)).toBe(6)
  expect(await runShipped(makeChain({ first: composed, second: half }), 10)).toBe(3)
})

test('a part that its module does not export is named', async () => {
  const hidden = declare(
    'hidden.ts',
    `import { task } from 'costate'\nconst hidden = task(import.meta, 'hidden', () => 1)\nexport const other = hidden.taskName`,
    'hidden',
  )

  await expect(runShipped(declareChain()({ first: hidden, second: hidden }), 1)).rejects.toThrow(
    "hidden.ts exports no task named 'hidden'",
  )
})

test('the bundle is the same wherever the modules lie, and another one when a part is', async () => {
  const source = (x: number): string =>
    `import { task } from 'costate'\nexport const step = task(import.meta, 'step', () => ${x})`
  const digests: string[] = []
  for (const [home, x] of [
    ['one', 1],
    ['two', 1],
    ['three', 2],
  ] as const) {
    mkdirSync(join(folder, home))
    writeFileSync(join(folder, home, 'package.json'), '{}')
    writeFileSync(join(folder, home, 'chain.ts'), chain)
    const step = declare(`${home}/step.ts`, source(x), 'step')
    const url = urlOf(`${home}/chain.ts`)
    const make = combinator({ url } as ImportMeta, 'chain', () => () => 0) as unknown as Chain
    digests.push((await bundleTask(make({ first: step, second: step }))).digest)
  }

  expect(digests[0]).toBe(digests[1])
  expect(digests[2]).not.toBe(digests[0])
})

test('what is no task is refused as a part', () => {
  const make = declareChain()

  expect(() => make({ first: (() => 1) as never, second: (() => 1) as never })).toThrow(
    'chain: its part first must be a task, got function',
  )
})
