import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

import { afterEach, beforeEach, expect, test } from 'vitest'

import { loadTask } from './task-module.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'costate-module-'))
})
afterEach(() => rm(folder, { recursive: true }))

async function writeModule(name: string, source: string): Promise<string> {
  const file = path.join(folder, name)
  await writeFile(file, `import { createLocalCluster, task } from 'costate'\n${source}`)
  return file
}

const heat = `export const heat = task(import.meta, 'heat', async (x: number): Promise<number> => x, {})\n`
const cool = `export const cool = task(import.meta, 'cool', async () => 0)\n`

test('the only task of a TypeScript module is found, and says which file to ship', async () => {
  const file = await writeModule('tasks.ts', heat)

  const found = await loadTask(file, { nativeAddons: [] })

  expect([found.taskName, found.moduleUrl]).toEqual(['heat', pathToFileURL(file).href])
})

test('of several tasks one is chosen by its name', async () => {
  const file = await writeModule('tasks.ts', heat + cool)

  expect((await loadTask(file, { taskName: 'cool', nativeAddons: [] })).taskName).toBe('cool')
  await expect(loadTask(file, { nativeAddons: [] })).rejects.toMatchObject({
    exitCode: 2,
    message: expect.stringContaining('exports the tasks cool, heat: choose one with --task') as string,
  })
  await expect(loadTask(file, { taskName: 'boil', nativeAddons: [] })).rejects.toThrow('its tasks are cool, heat')
})

test('a file that is not there, and one without tasks, are told apart', async () => {
  await expect(loadTask(path.join(folder, 'x.mjs'), { nativeAddons: [] })).rejects.toMatchObject({
    exitCode: 3,
    reason: 'MODULE_NOT_FOUND',
  })
  await expect(loadTask(await writeModule('none.mjs', ''), { nativeAddons: [] })).rejects.toMatchObject({
    exitCode: 3,
    message: expect.stringContaining('exports no task') as string,
  })
})

test('a module that starts a cluster on import is refused, and starts none', async () => {
  const file = await writeModule('program.mjs', `${cool}await createLocalCluster()\n`)

  await expect(loadTask(file, { nativeAddons: [] })).rejects.toMatchObject({ code: 'CLUSTER_ON_IMPORT' })
})
