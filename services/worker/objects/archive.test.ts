import { createHash } from 'node:crypto'
import { readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { expect, test } from 'vitest'

import { createArchive } from './archive.js'
import { openSpillLab } from './spilling.fixture.js'

test('what is on the disk is handed over as what is in memory; what the disk has damaged is not', async () => {
  await using lab = await openSpillLab(0)
  const uploaded: string[] = []
  const archive = createArchive(lab.store, {
    put: async (_digest, source) => {
      const sha256 = createHash('sha256')
      for await (const piece of source.read(0)) sha256.update(piece)
      uploaded.push(sha256.digest('hex'))
    },
  })
  const whole = lab.keep(1000, 3)
  await lab.spilling.rest()
  expect(lab.places([whole])).toEqual(['disk'])
  const digest = createHash('sha256').update(Buffer.alloc(1000, 3)).digest('hex')
  expect([await archive(whole), uploaded]).toEqual([digest, [digest]])
  lab.store.release(whole)
  const damaged = lab.keep(1000, 4)
  await lab.spilling.rest()
  await expect.poll(() => readdir(lab.folder.path)).toHaveLength(1)
  for (const file of await readdir(lab.folder.path)) await writeFile(path.join(lab.folder.path, file), 'gone')
  expect(await archive(damaged)).toBeUndefined()
  expect(lab.lost).toEqual([damaged])
  expect(await archive('o-unknown')).toBeUndefined()
})
