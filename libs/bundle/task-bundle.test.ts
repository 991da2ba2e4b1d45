import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createInlineContext } from '#libs/task'
import { loadBundle } from './load.js'
import { bundleTaskModule } from './task-bundle.js'
import { unpackBundle } from './unpack.js'

let folder: string
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'costate-bundle-')))
})
afterEach(() => rmSync(folder, { recursive: true }))

/** Writes a user's project and gives the URL of its first file. */
function write(files: Record<string, string | Uint8Array>, root = folder): string {
  for (const [path, contents] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), contents)
  }
  return pathToFileURL(join(root, Object.keys(files)[0]!)).href
}

/** Ships a module to where its sources are not, and runs a task of it there. */
async function runShipped(moduleUrl: string, taskName: string, ...args: unknown[]): Promise<unknown> {
  const { archive, digest } = await bundleTaskModule(moduleUrl)
  const elsewhere = mkdtempSync(join(tmpdir(), 'costate-worker-'))
  try {
    const bundle = await loadBundle(await unpackBundle(archive, elsewhere, digest))
    const call = bundle.find(taskName) as unknown as (...args: unknown[]) => Promise<unknown>
    return await call(...args, createInlineContext())
  } finally {
    rmSync(elsewhere, { recursive: true })
  }
}

test('a task runs from its bundle, with its context', async () => {
  const url = write({
    'tasks.ts': `
      import { NdArray, task, type TaskContext } from 'costate'
      interface Params { readonly l: number }
      export const solve = task(import.meta, 'solve', async ({ l }: Params, ctx: TaskContext) =>
        new NdArray(new Float64Array([8 / (9 * l), ctx.attempt]), [1, 2]))`,
  })
  const result = await runShipped(url, 'solve', { l: 0.1 })

  expect(result).toMatchObject({ data: new Float64Array([8 / (9 * 0.1), 1]), shape: [1, 2] })
})

test('npm dependencies travel along, ES modules and CommonJS, with what they read beside themselves', async () => {
  const url = write({
    'src/tasks.ts': `
      import { task } from 'costate'
      import { scale } from 'esm-dep'
      import cjs, { offset } from 'cjs-dep'
      export const solve = task(import.meta, 'solve', (x: number) => [scale(x), offset, cjs.table(), cjs.hasFs])`,
    'package.json': '{ "type": "module" }',
    'node_modules/esm-dep/package.json': '{ "name": "esm-dep", "type": "module", "exports": "./main.js" }',
    'node_modules/esm-dep/main.js': `export { scale } from './lib/scale.js'`,
    'node_modules/esm-dep/lib/scale.js': `export const scale = (x) => 3 * x`,
    'node_modules/cjs-dep/package.json': '{ "name": "cjs-dep", "main": "lib/main.cjs" }',
    'node_modules/cjs-dep/lib/main.cjs': `'use strict'
      const fs = require('fs')
      const path = require('node:path')
      exports.offset = 7
      exports.table = () => fs.readFileSync(path.join(__dirname, '../data/table.txt'), 'utf8')
      exports.hasFs = typeof fs.readFileSync`,
    'node_modules/cjs-dep/data/table.txt': 'from the package',
  })

  expect(await runShipped(url, 'solve', 2)).toEqual([6, 7, 'from the package', 'function'])
})

test('a workspace dependency above the project is found and shipped', async () => {
  write({
    'node_modules/hoisted/package.json': '{ "name": "hoisted", "type": "module", "exports": "./main.js" }',
    'node_modules/hoisted/main.js': `
      import { readFileSync } from 'node:fs'
      export const text = readFileSync(new URL('./note.txt', import.meta.url), 'utf8')`,
    'node_modules/hoisted/note.txt': 'hoisted',
  })
  const url = write({
    'packages/sweep/tasks.ts': `
      import { task } from 'costate'
      import { text } from 'hoisted'
      export const read = task(import.meta, 'read', () => text)`,
    'packages/sweep/package.json': '{ "type": "module" }',
  })

  expect(await runShipped(url, 'read')).toBe('hoisted')
})

test('WebAssembly and data travel along, and nested modules see them where they lay', async () => {
  // (module (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add))
  const wasm = Uint8Array.from(
    Buffer.from('0061736d0100000001070160027f7f017f030201000707010361646400000a09010700200020016a0b', 'hex'),
  )
  const url = write({
    'src/tasks.ts': `
      import { readFile } from 'node:fs/promises'
      import { task } from 'costate'
      import wasmPath from './solver/add.wasm'
      import settings from './settings.json' with { type: 'json' }
      import { readTable } from './nested/table.js'
      export const add = task(import.meta, 'add', async (a: number, b: number) => {
        const { instance } = await WebAssembly.instantiate(await readFile(wasmPath))
        return (instance.exports.add as (a: number, b: number) => number)(a, b)
      })
      export const list = task(import.meta, 'list', async () => [
        await readTable(), settings.tolerance, await readFile(new URL('./settings.json', import.meta.url), 'utf8'),
      ])`,
    'src/settings.json': '{"tolerance":1e-9}',
    'src/solver/add.wasm': wasm,
    'src/nested/table.ts': `
      import { readFile } from 'node:fs/promises'
      export const readTable = () => readFile(new URL('../../data/räder 1.csv', import.meta.url), 'utf8')`,
    'data/räder 1.csv': 'a,b',
    'package.json': '{ "type": "module" }',
  })
  const { fileNames } = await bundleTaskModule(url)

  expect(fileNames.filter((name) => !name.startsWith('costate-bundle'))).toEqual([
    'data/räder 1.csv',
    'src/settings.json',
    'src/solver/add.wasm',
  ])
  expect(await runShipped(url, 'add', 2, 40)).toBe(42)
  expect(await runShipped(url, 'list')).toEqual(['a,b', 1e-9, '{"tolerance":1e-9}'])
})

test('equal sources give equal bundles, wherever their folder lies', async () => {
  const files = {
    'src/tasks.ts': `
      import { task } from 'costate'
      import { offset } from 'dep'
      export const read = task(import.meta, 'read', () => [new URL('./table.csv', import.meta.url).href, offset])`,
    'src/table.csv': 'a,b',
    'package.json': '{ "type": "module" }',
    'node_modules/dep/package.json': '{ "name": "dep" }',
    'node_modules/dep/index.js': `exports.offset = __dirname`,
  }
  const first = await bundleTaskModule(write(files, join(folder, 'one')))
  cpSync(join(folder, 'one'), join(folder, 'elsewhere/two'), { recursive: true })
  const second = await bundleTaskModule(pathToFileURL(join(folder, 'elsewhere/two/src/tasks.ts')).href)

  expect(second.digest).toBe(first.digest)
  expect(Buffer.from(second.archive).includes('costate-bundle-')).toBe(false)
  expect(Buffer.from(second.archive).includes(folder)).toBe(false)
  expect(Buffer.from(second.archive).includes('bundle:///_')).toBe(false)
})

test('a bundle is kept until one of its files changes', async () => {
  const tasks = `import { task } from 'costate'\nimport { factor } from './factor.js'\nimport csv from './table.csv'
    export const scale = task(import.meta, 'scale', (x: number) => [factor * x, csv])`
  const url = write({ 'tasks.ts': tasks, 'factor.ts': 'export const factor = 2', 'table.csv': 'a' })
  const first = await bundleTaskModule(url)

  expect(await bundleTaskModule(`${url}?tsx-namespace=1`)).toBe(first)
  expect(await bundleTaskModule(url)).toBe(first)
  await new Promise(setImmediate)
  expect(await bundleTaskModule(url)).toBe(first)

  write({ 'factor.ts': 'export const factor = 10' })
  await new Promise(setImmediate)
  const second = await bundleTaskModule(url)
  expect(second.digest).not.toBe(first.digest)

  write({ 'table.csv': 'a,b' })
  await new Promise(setImmediate)
  expect((await bundleTaskModule(url)).digest).not.toBe(second.digest)
})

test('many who ask at once share one build', async () => {
  const url = write({
    'tasks.ts': `import { task } from 'costate'\nexport const one = task(import.meta, 'one', () => 1)`,
  })
  const bundles = await Promise.all(Array.from({ length: 5 }, () => bundleTaskModule(url)))

  expect(new Set(bundles).size).toBe(1)
})

test('a module that was mended is built again', async () => {
  const url = write({ 'tasks.ts': 'export const = 1' })
  await expect(bundleTaskModule(url)).rejects.toMatchObject({ code: 'BUILD_FAILED' })
  write({ 'tasks.ts': 'export const one = 1' })

  await expect(bundleTaskModule(url)).resolves.toMatchObject({ moduleUrl: url })
})

test.each([
  ['a syntax error', `export const a = 1\nexport const = 2`, ['tasks.ts:2:13:', 'Expected identifier but found "="']],
  [
    'a missing import',
    `import { x } from './gone.js'\nexport { x }`,
    ['tasks.ts:1:18:', 'Could not resolve "./gone.js"'],
  ],
  ['a missing package', `import x from 'gone'\nexport { x }`, ['tasks.ts:1:14:', 'Could not resolve "gone"']],
  ['a missing export', `import { zork } from 'costate'\nzork()`, ['tasks.ts:1:9:', 'No matching export', '"zork"']],
  ['a missing subpath', `import 'costate/zork'`, ['tasks.ts:1:7:', '"costate/zork" is not a part of costate']],
])('%s is told with file and line', async (_what, source, parts) => {
  const url = write({ 'tasks.ts': source })

  const error = await bundleTaskModule(url).catch((reason: unknown) => reason)
  expect(error).toMatchObject({ name: 'BundleError', code: 'BUILD_FAILED' })
  for (const part of parts) expect((error as Error).message).toContain(part)
})

test('a module that is no file is refused', async () => {
  await expect(bundleTaskModule('data:text/javascript,export {}')).rejects.toMatchObject({ code: 'BUILD_FAILED' })
  await expect(bundleTaskModule('tasks.ts')).rejects.toThrow('a task module must be a file, got tasks.ts')
})

test('pure parts of costate are bundled for real, from here when the project has no costate installed', async () => {
  const url = write({
    'tasks.ts': `
      import { task } from 'costate'
      import * as control from 'costate/control'
      export const count = task(import.meta, 'count', () => Object.keys(control).length)`,
  })

  expect(await runShipped(url, 'count')).toBeGreaterThan(0)
})

test('pure parts of costate come from the project when it has costate installed', async () => {
  const url = write({
    'tasks.ts': `
      import { task } from 'costate'
      import { whose } from 'costate/control'
      export const ask = task(import.meta, 'ask', () => whose)`,
    'node_modules/costate/package.json': '{ "name": "costate", "exports": { "./control": "./control.js" } }',
    'node_modules/costate/control.js': `export const whose = "the project's"`,
  })

  expect(await runShipped(url, 'ask')).toBe("the project's")
})

test('what a project declares for itself is not disturbed: require, __dirname, URL constants, shebangs, names of ours', async () => {
  const url = write({
    'tasks.ts': `#!/usr/bin/env node
      import { createRequire } from 'node:module'
      import { dirname } from 'node:path'
      import { fileURLToPath } from 'node:url'
      import { task } from 'costate'
      const require = createRequire(import.meta.url)
      const __dirname = dirname(fileURLToPath(import.meta.url))
      const main = 'import.meta.url'
      export const look = task(import.meta, 'look', () =>
        [typeof require('node:fs').readFileSync, __dirname === import.meta.dirname, main])`,
  })

  expect(await runShipped(url, 'look')).toEqual(['function', true, 'import.meta.url'])
})

test('the program beside the tasks stays at home', async () => {
  const url = write({
    'sweep.ts': `
      import { createLocalCluster, main, task } from 'costate'
      export const one = task(import.meta, 'one', () => 1)
      main(import.meta, async () => { await createLocalCluster({ note: 'only the program says this' }) })`,
  })
  const { archive } = await bundleTaskModule(url)

  expect(Buffer.from(archive).includes('only the program says this')).toBe(false)
  expect(await runShipped(url, 'one')).toBe(1)
})
