import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadBundle, type LoadedBundle } from './load.js'
import { bundleTaskModule } from './task-bundle.js'
import { unpackBundle } from './unpack.js'

let folder: string
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'costate-load-')))
})
afterEach(() => rmSync(folder, { recursive: true }))

/** Bundles a module of this source, as src/tasks.ts of a user's project, and loads it. */
async function load(source: string): Promise<LoadedBundle> {
  const path = join(folder, 'src/tasks.ts')
  mkdirSync(dirname(path))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  writeFileSync(path, source)
  const { archive } = await bundleTaskModule(pathToFileURL(path).href)
  return loadBundle(await unpackBundle(archive, join(folder, 'worker')))
}

test('tasks are found by their names, under whatever name they are exported', async () => {
  const bundle = await load(`
    import { task } from 'costate'
    const hidden = task(import.meta, 'hidden', () => 0)
    export const first = task(import.meta, 'solve', () => 1)
    export { first as second }
    export default task(import.meta, 'verify', () => hidden())
    export const constant = 3`)

  expect(bundle.taskNames).toEqual(['solve', 'verify'])
  expect(bundle.find('solve').taskName).toBe('solve')
  expect(bundle.find('verify').moduleUrl).toMatch(/costate-bundle\.mjs$/)
})

test('a name that is not there is answered with those that are', async () => {
  const bundle = await load(`
    import { task } from 'costate'
    export const solve = task(import.meta, 'solve', () => 1)
    export const verify = task(import.meta, 'verify', () => 1)`)

  expect(() => bundle.find('slove')).toThrow(
    expect.objectContaining({
      code: 'NOT_EXPORTED',
      message: expect.stringContaining(
        "src/tasks.ts exports no task named 'slove'; its tasks are solve, verify.",
      ) as string,
    }),
  )
  expect(() => bundle.find('toString')).toThrow(expect.objectContaining({ code: 'NOT_EXPORTED' }))
})

test('a plain function is answered with the line that declares a task', async () => {
  const bundle = await load(`export function solve(x: number) { return x }`)

  expect(() => bundle.find('solve')).toThrow(
    expect.objectContaining({
      code: 'NOT_A_TASK',
      message: expect.stringContaining("export const solve = task(import.meta, 'solve'") as string,
    }),
  )
})

test('two tasks of one name are refused', async () => {
  const loading = load(`
    import { task } from 'costate'
    export const a = task(import.meta, 'solve', () => 1)
    export const b = task(import.meta, 'solve', () => 2)`)

  await expect(loading).rejects.toThrow("src/tasks.ts exports two tasks that are both named 'solve'")
})

test('a module that throws when it is imported fails with what it threw', async () => {
  const loading = load(`throw new RangeError('no horizon given')`)

  await expect(loading).rejects.toMatchObject({
    name: 'BundleError',
    code: 'LOAD_FAILED',
    message: 'src/tasks.ts failed when it was imported: RangeError: no horizon given',
    cause: { name: 'RangeError', message: 'no horizon given' },
  })
})

test.each([
  ['waits for it', `const cluster = await createLocalCluster()`],
  ['does not wait for it', `const run = async () => { await createLocalCluster() }\nvoid run()`],
  ['hides the error', `try { createLocalCluster() } catch {}`],
  ['ends the process on the error', `const run = async () => createLocalCluster()\nrun().catch(() => process.exit(1))`],
])('a module that starts a cluster on import and %s is refused with advice', async (_how, program) => {
  const loading = load(`
    import { createLocalCluster, task } from 'costate'
    export const solve = task(import.meta, 'solve', () => 1)
    ${program}`)

  await expect(loading).rejects.toMatchObject({
    code: 'CLUSTER_ON_IMPORT',
    message: expect.stringMatching(
      /createLocalCluster\(\) was called .* wrap the program in main\(import\.meta/,
    ) as string,
    cause: { code: 'COSTATE_CLUSTER_IN_TASK' },
  })
})

test('a module that ends the process on import is refused, and the process goes on', async () => {
  const { exit } = process as { exit: unknown }
  const loading = load(`console.assert(true)\nprocess.exit(2)`)

  await expect(loading).rejects.toMatchObject({
    code: 'LOAD_FAILED',
    message: expect.stringContaining('it called process.exit(2)') as string,
  })
  expect(Reflect.get(process, 'exit')).toBe(exit)
})

test('a task that asks for a cluster is refused where it asks', async () => {
  const bundle = await load(`
    import { connect, task } from 'costate'
    export const nest = task(import.meta, 'nest', async () => connect('mesh'))`)
  const nest = bundle.find('nest') as unknown as () => Promise<unknown>

  await expect(nest()).rejects.toMatchObject({ code: 'COSTATE_CLUSTER_IN_TASK' })
})

test('what is no unpacked bundle is told so', async () => {
  await expect(loadBundle(join(folder, 'costate-bundle.mjs'))).rejects.toMatchObject({ code: 'CORRUPT' })
})
