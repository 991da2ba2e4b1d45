import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { build } from 'esbuild'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { localizeStack } from './source-names.js'
import { bundleTaskModule } from './task-bundle.js'
import { unpackBundle } from './unpack.js'

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'costate-stack-')))
afterAll(() => rmSync(folder, { recursive: true }))

// Threads run JavaScript: this library as the build would make it.
beforeAll(() =>
  build({
    entryPoints: [fileURLToPath(new URL('index.ts', import.meta.url))],
    outfile: join(folder, 'bundle-library.mjs'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    conditions: ['source'],
    external: ['esbuild'],
  }),
)

function write(files: Record<string, string>): string {
  for (const [path, contents] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), contents)
  }
  return pathToFileURL(join(folder, Object.keys(files)[0]!)).href
}

/** The stack of what a task, or the import of its module, throws in a worker's thread. */
async function throwInThread(moduleUrl: string): Promise<string> {
  const { archive } = await bundleTaskModule(moduleUrl)
  const entryPath = await unpackBundle(archive, join(folder, 'cache'))
  const program = `
    const { parentPort, workerData } = require('node:worker_threads')
    void (async () => {
      try {
        const { loadBundle } = await import(workerData.library)
        await (await loadBundle(workerData.entryPath)).find('fail')(0)
      } catch (error) {
        parentPort.postMessage((error.code === 'LOAD_FAILED' ? error.cause : error).stack)
      }
    })()`
  const library = pathToFileURL(join(folder, 'bundle-library.mjs')).href
  const thread = new Worker(program, { eval: true, workerData: { library, entryPath } })
  const [stack] = (await once(thread, 'message')) as [string]
  await thread.terminate()
  return stack
}

const project = {
  'pro ject/src/tasks.ts': `
import { task } from 'costate'
import { step } from './model/dynamics.js'

interface Params {
  readonly l: number
}

export const fail = task(import.meta, 'fail', async ({ l }: Params) => {
  return step(l)
})
`,
  'pro ject/src/model/dynamics.ts': `type Unused = { a: 1 }
export interface Unused2 extends Unused {
  b: 2
}
const here = import.meta.url
export function step(h: number): number {
  if (!(h > 0)) throw new Error('step h must be positive')
  return h + here.length
}
`,
  'pro ject/package.json': '{ "type": "module" }',
}

test("a stack from a task in a thread names the user's TypeScript files, lines and columns", async () => {
  const url = write(project)
  const stack = await throwInThread(url)

  expect(stack.split('\n').slice(0, 3)).toEqual([
    'Error: step h must be positive',
    expect.stringMatching(/^ +at step \(bundle:\/\/\/src\/model\/dynamics\.ts:7:23\)$/),
    expect.stringMatching(/^ +at .*bundle:\/\/\/src\/tasks\.ts:10:10\)?$/),
  ])
  const local = localizeStack(stack, url)
  expect(local).toContain(`at step (${join(folder, 'pro ject/src/model/dynamics.ts')}:7:23)`)
  expect(local).toContain(`${join(folder, 'pro ject/src/tasks.ts')}:10:10`)
})

test('a stack from the import of a module names its line', async () => {
  const url = write({
    'top/tasks.ts': `const limit: number = -1\n\nif (limit < 0) throw new Error('bad limit')\nexport {}\n`,
  })

  expect(localizeStack(await throwInThread(url), url)).toContain(`${join(folder, 'top/tasks.ts')}:3:22`)
})

test('a stack from compiled JavaScript with a source map names its TypeScript', async () => {
  const source = fileURLToPath(
    write({ 'built/src/tasks.ts': project['pro ject/src/tasks.ts'].replace('step(l)', 'l()') }),
  )
  write({ 'built/package.json': '{ "type": "module" }', 'built/src/model/dynamics.ts': 'export const step = 0' })
  const compiled = join(folder, 'built/dist/tasks.js')
  await build({ entryPoints: [source], outfile: compiled, sourcemap: true })
  write({ 'built/dist/model/dynamics.js': 'export const step = 0' })
  const url = pathToFileURL(compiled).href

  expect(localizeStack(await throwInThread(url), url)).toContain(`${source}:10:10`)
})

test('frames of sources that are not here stay as they are', () => {
  const url = write(project)
  const stack = 'Error: x\n    at f (bundle:///src/gone.ts:1:2)\n    at node:internal/x:3:4'

  expect(localizeStack(stack, url)).toBe(stack)
})

test('sources above the project are found again', () => {
  const url = write({ ...project, 'shared/step.ts': '' })

  expect(localizeStack('at f (bundle:///_/shared/step.ts:1:2)', url)).toBe(
    `at f (${join(folder, 'shared/step.ts')}:1:2)`,
  )
})
