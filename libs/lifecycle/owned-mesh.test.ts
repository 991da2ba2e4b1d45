import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { markOwned, meshDirOf, meshesDir, recordMeshProcess, removeLeftMeshes, removeMeshDir } from './index.js'

let home: string
beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'costate-home-'))
  vi.stubEnv('COSTATE_HOME', home)
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(home, { recursive: true })
})

async function createMesh(name: string, owner?: number): Promise<string> {
  const meshDir = meshDirOf(name)
  await mkdir(meshDir, { recursive: true })
  if (owner === process.pid) await markOwned(meshDir)
  else if (owner !== undefined) await writeFile(path.join(meshDir, 'owned'), String(owner))
  return meshDir
}

/** The number of a process that has ended. */
async function endedPid(): Promise<number> {
  const child = spawn(process.execPath, ['-e', ''])
  await once(child, 'exit')
  return child.pid ?? 0
}

test('of the meshes whose owner is gone, those without processes are removed, and no others', async () => {
  const gone = await endedPid()
  await createMesh('left', gone)
  await createMesh('mine', process.pid)
  await createMesh('kept-alive')
  const ending = await createMesh('ending', gone)
  const service = spawn(process.execPath, ['-e', 'process.stdin.resume()', '--', '--mesh-dir', ending], {
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  recordMeshProcess(ending, service.pid ?? 0)

  await removeLeftMeshes()
  expect((await readdir(meshesDir())).sort()).toEqual(['ending', 'kept-alive', 'mine'])

  service.stdin.end()
  await once(service, 'exit')
  await removeLeftMeshes()
  expect((await readdir(meshesDir())).sort()).toEqual(['kept-alive', 'mine'])
})

test('where there never was a mesh, nothing is to be removed', async () => {
  await expect(removeLeftMeshes()).resolves.toBeUndefined()
})

test('goes although somebody who has not heard of the end still writes into it', async () => {
  for (let round = 0; round < 20; round++) {
    const meshDir = await createMesh('mesh')
    const latecomer = async (): Promise<void> => {
      for (let i = 0; i < 30; i++) await mkdir(path.join(meshDir, `${i}`)).catch(() => undefined)
    }
    await Promise.all([removeMeshDir(meshDir), latecomer()])
  }
  expect(await readdir(meshesDir())).toEqual([])
})
