import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import path from 'node:path'

import { expect, test } from 'vitest'

import { birthOf } from './spill-sweep.js'
import { openSpillFolder } from './spill-folder.js'

test('a new folder takes away what dead processes of this host left, and nothing else', async () => {
  const parent = await mkdtemp(path.join(tmpdir(), 'costate-sweep-'))
  const leave = async (host: string, pid: number, birth: string): Promise<string> => {
    const name = `costate-spill-${host}-${pid}-${birth}-a1B2c3`
    await mkdir(path.join(parent, name))
    await writeFile(path.join(parent, name, '0'), 'spilled')
    return name
  }
  const neighbour = spawn('sleep', ['60'])
  const pid = neighbour.pid ?? 0
  const dead = await leave(hostname(), 2 ** 22 + 1, '1')
  const reused = await leave(hostname(), pid, '1')
  const alive = await leave(hostname(), pid, birthOf(pid))
  const elsewhere = await leave('another-host', 2 ** 22 + 1, '1')
  await mkdir(path.join(parent, 'costate-spill-of-somebody'))
  const folder = await openSpillFolder(parent)
  const left = await readdir(parent)
  expect(left).toContain(path.basename(folder.path))
  expect(left).toEqual(expect.arrayContaining([elsewhere, 'costate-spill-of-somebody', alive]))
  expect(left).not.toContain(dead)
  // Where the birth of a process cannot be told, its number must do.
  if (birthOf(pid) !== '0') expect(left).not.toContain(reused)
  neighbour.kill()
  await once(neighbour, 'exit')
  await folder.close()
  const next = await openSpillFolder(parent)
  expect(await readdir(parent)).not.toContain(alive)
  await next.close()
  await rm(parent, { recursive: true })
})
