import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { afterEach, beforeEach, expect, test } from 'vitest'

import { recordMeshProcess } from '#libs/lifecycle'

import { endMesh } from './mesh-end.js'

const obedient = `process.stdin.resume(); console.log('ready')`
const stubborn = `process.on('SIGTERM', () => undefined); ${obedient}`

let meshDir: string
const children: ChildProcess[] = []
beforeEach(async () => {
  meshDir = await mkdtemp(path.join(tmpdir(), 'costate-end-'))
})
afterEach(() => {
  for (const child of children.splice(0)) child.stdin?.end()
})

async function start(program: string, ofMesh = meshDir): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['-e', program, '--', '--mesh-dir', ofMesh], {
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  children.push(child)
  await once(child.stdout, 'data')
  recordMeshProcess(meshDir, child.pid ?? 0)
  return child
}

test('a mesh ends in order, and its folder goes', async () => {
  const ends = [await start(obedient), await start(obedient)].map((child) => once(child, 'exit'))

  expect(await endMesh(meshDir)).toEqual({ ended: 2, killed: 0 })

  expect(await Promise.all(ends)).toEqual([
    [null, 'SIGTERM'],
    [null, 'SIGTERM'],
  ])
  expect(existsSync(meshDir)).toBe(false)
})

test('who does not end in time is killed', async () => {
  const end = once(await start(stubborn), 'exit')

  expect(await endMesh(meshDir, 0)).toEqual({ ended: 0, killed: 1 })

  expect(await end).toEqual([null, 'SIGKILL'])
})

test('a process of somebody else that has the number of one of ours is left alone', async () => {
  const stranger = await start(obedient, '/another/mesh')

  expect(await endMesh(meshDir)).toEqual({ ended: 0, killed: 0 })

  expect(stranger.exitCode ?? stranger.signalCode).toBeNull()
  expect(existsSync(meshDir)).toBe(false)
})
