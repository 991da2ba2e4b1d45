import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { hostname, tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { loadBundle, type LoadOptions } from './load.js'
import { bundleTaskModule } from './task-bundle.js'
import { unpackBundle } from './unpack.js'

let folder: string
/** Not below the user's project, where Node would find what is installed there. */
let machine: string
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'costate-addon-')))
  machine = realpathSync(mkdtempSync(join(tmpdir(), 'costate-worker-')))
})
afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
  rmSync(folder, { recursive: true })
  rmSync(machine, { recursive: true })
})

const addon = {
  'node_modules/fast-lapack/package.json': '{ "name": "fast-lapack", "main": "index.js" }',
  'node_modules/fast-lapack/index.js': `module.exports = require('./build/fast-lapack.node')`,
  'node_modules/fast-lapack/extra.js': `exports.extra = 'extra'`,
  'node_modules/fast-lapack/build/fast-lapack.node': 'not machine code',
}
const tasks = `
  import { task } from 'costate'
  import lapack, { solve } from 'fast-lapack'
  import { extra } from 'fast-lapack/extra.js'
  export const factor = task(import.meta, 'factor', (x) => [solve(x), lapack.version, extra])`

function write(files: Record<string, string>, root = folder): string {
  for (const [path, contents] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), contents)
  }
  return pathToFileURL(join(root, Object.keys(files)[0]!)).href
}

/** A folder of a worker with a working build of the addon. */
function install(root: string, version: number): string {
  write(
    {
      ...addon,
      'node_modules/fast-lapack/index.js': `exports.solve = (x) => x / 2\nexports.version = ${version}`,
    },
    root,
  )
  return root
}

async function load(url: string, options?: LoadOptions): Promise<(x: number) => Promise<unknown>> {
  const { archive } = await bundleTaskModule(url, { nativeAddons: ['fast-lapack'] })
  const bundle = await loadBundle(await unpackBundle(archive, join(machine, 'cache')), options)
  return bundle.find('factor') as unknown as (x: number) => Promise<unknown>
}

test('native code that is not declared is refused with the line that declares it', async () => {
  const url = write({ 'tasks.ts': tasks, ...addon })

  await expect(bundleTaskModule(url)).rejects.toMatchObject({
    code: 'NATIVE_ADDON',
    message: expect.stringContaining(`{ nativeAddons: ['fast-lapack'] }`) as string,
  })
})

test.each([
  ['bindings', `module.exports = require('bindings')('fast')`],
  ['node-gyp-build', `try { module.exports = require('node-gyp-build')(__dirname) } catch {}`],
])('a package that finds its native code through %s is refused by name', async (_loader, source) => {
  const url = write({ 'tasks.ts': tasks, ...addon, 'node_modules/fast-lapack/index.js': source })

  await expect(bundleTaskModule(url)).rejects.toMatchObject({
    code: 'NATIVE_ADDON',
    message: expect.stringContaining('"fast-lapack" is native code') as string,
  })
})

test('a package whose native code is a package per platform is refused by its own name', async () => {
  const require = createRequire(import.meta.url)
  const url = write({ 'tasks.ts': `import { xxh64 } from '@node-rs/xxhash'\nexport { xxh64 }` })
  const modules = dirname(dirname(dirname(require.resolve('@node-rs/xxhash/package.json'))))
  cpSync(join(modules, '@node-rs'), join(folder, 'node_modules/@node-rs'), { recursive: true })

  await expect(bundleTaskModule(url)).rejects.toMatchObject({
    code: 'NATIVE_ADDON',
    message: expect.stringContaining(`{ nativeAddons: ['@node-rs/xxhash'] }`) as string,
  })
})

test('a declared addon stays out of the bundle and comes from COSTATE_NATIVE_PATH', async () => {
  const url = write({ 'tasks.ts': tasks, ...addon })
  const path = [join(machine, 'empty'), install(join(machine, 'opt'), 7), install(join(machine, 'later'), 8)].join(
    delimiter,
  )
  vi.stubEnv('COSTATE_NATIVE_PATH', path)
  const bundle = await bundleTaskModule(url, { nativeAddons: ['fast-lapack'] })
  const factor = await load(url)

  expect(bundle.nativeAddons).toEqual(['fast-lapack'])
  expect(Buffer.from(bundle.archive).includes('not machine code')).toBe(false)
  expect(await factor(10)).toEqual([5, 7, 'extra'])
})

test('a declared addon comes from the working folder of the worker', async () => {
  const url = write({ 'tasks.ts': tasks, ...addon })
  vi.spyOn(process, 'cwd').mockReturnValue(install(join(machine, 'work'), 9))

  expect(await (await load(url))(10)).toEqual([5, 9, 'extra'])
})

test('an addon that is not installed is named, with the worker and what to install where', async () => {
  const url = write({ 'tasks.ts': tasks, ...addon })
  vi.stubEnv('COSTATE_NATIVE_PATH', join(machine, 'empty'))
  vi.spyOn(process, 'cwd').mockReturnValue(join(machine, 'work'))
  const loading = load(url, { worker: 'node17-w3' })

  await expect(loading).rejects.toMatchObject({ code: 'NATIVE_ADDON' })
  await expect(loading).rejects.toThrow(
    `worker node17-w3: tasks.ts cannot be loaded: native addon "fast-lapack" is not installed in ` +
      `${join(machine, 'empty')} or ${join(machine, 'work')} on worker ${hostname()} (process ${process.pid}). ` +
      `Run "npm install fast-lapack" there`,
  )
})

test('an addon that is installed but built for another machine is told apart', async () => {
  const url = write({ 'tasks.ts': tasks, ...addon })
  vi.stubEnv('COSTATE_NATIVE_PATH', folder)

  await expect(load(url)).rejects.toMatchObject({
    code: 'NATIVE_ADDON',
    message: expect.stringMatching(/"fast-lapack" is installed, .* and does not load .* Install it anew/) as string,
    cause: { cause: { code: 'ERR_DLOPEN_FAILED' } },
  })
})
