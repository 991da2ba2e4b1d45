import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { beforeEach, expect, test } from 'vitest'

import { readAddress, waitForAddress, writeAddress } from './rendezvous.js'

let meshDir: string
beforeEach(async () => {
  meshDir = await mkdtemp(path.join(tmpdir(), 'costate-rendezvous-'))
})

const address = { addresses: ['127.0.0.1:7411'], pid: 1 }

test('who waits hears when a service says where it listens, and who comes later reads it', async () => {
  const waiting = waitForAddress(meshDir, 'scheduler', new AbortController().signal)
  await writeAddress(meshDir, 'scheduler', address)
  expect(await waiting).toEqual(address)
  expect(await readAddress(meshDir, 'scheduler')).toEqual(address)
})

test('a wait can be given up', async () => {
  const abort = new AbortController()
  const waiting = waitForAddress(meshDir, 'scheduler', abort.signal)
  abort.abort(new Error('enough'))
  await expect(waiting).rejects.toThrow('enough')
})

test('who waits for a mesh that is gone does not make its folder again', async () => {
  await rm(meshDir, { recursive: true })
  await expect(waitForAddress(meshDir, 'scheduler', new AbortController().signal)).rejects.toThrow('ENOENT')
  expect(existsSync(meshDir)).toBe(false)
})
