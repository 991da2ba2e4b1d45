import { chmod, mkdir, mkdtemp, rm, stat, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { afterEach, beforeEach, expect, test } from 'vitest'

import { makePrivateFolder } from './private-folder.js'

let above: string
beforeEach(async () => {
  above = await mkdtemp(path.join(tmpdir(), 'costate-private-'))
})
afterEach(() => rm(above, { recursive: true }))

test('it is made for this user alone, and may be there already', async () => {
  const folder = path.join(above, 'own')
  await makePrivateFolder(folder)
  await makePrivateFolder(folder)
  expect((await stat(folder)).mode & 0o777).toBe(0o700)
})

test('one that others may enter, or a link to elsewhere, is refused', async () => {
  const open = path.join(above, 'open')
  await mkdir(open)
  await chmod(open, 0o777)
  await expect(makePrivateFolder(open)).rejects.toThrow('is not a folder of this user alone')
  const link = path.join(above, 'link')
  await symlink(above, link)
  await expect(makePrivateFolder(link)).rejects.toThrow('is not a folder of this user alone')
})
