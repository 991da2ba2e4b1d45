import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import { afterEach, beforeEach, expect, test } from 'vitest'

import { openLevelJournal } from './index.js'
import { textCodec } from './subject.fixture.js'

const program = fileURLToPath(new URL('full-disk.fixture.ts', import.meta.url))

let folder: string
let mounted: boolean

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'costate-journal-'))
  mounted = mountSmallDisk(path.join(folder, 'disk'))
})
afterEach(async () => {
  if (mounted) execFileSync('umount', [path.join(folder, 'disk')])
  await rm(folder, { recursive: true })
})

/** A disk of 24 MB where one can be mounted (as root on Linux); elsewhere a plain folder. */
function mountSmallDisk(disk: string): boolean {
  mkdirSync(disk)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24M', 'tmpfs', disk], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

test('on a full disk an append rejects and names the folder; with room again all that was acknowledged is there', async () => {
  const disk = path.join(folder, 'disk', 'journal')
  const node = `exec '${process.execPath}' --import tsx '${program}' '${disk}'`
  // Without a disk of its own, a limit on the size of a file does the same to a write: in blocks of 1 KiB.
  const told = execFileSync('bash', ['-c', mounted ? node : `ulimit -f 2000; ${node}`], { encoding: 'utf8' })
  const { acknowledged, message, again } = JSON.parse(told) as { acknowledged: number; message: string; again: string }
  expect(acknowledged).toBeGreaterThan(100)
  expect(message).toContain(`the journal in ${disk} could not be written: IO error`)
  expect(message).toContain(mounted ? 'No space left on device' : 'File too large')
  expect(again).toBe(message)

  const roomy = path.join(folder, 'roomy')
  await cp(disk, roomy, { recursive: true })
  const journal = await openLevelJournal({ folder: roomy, codec: textCodec, onWarning: () => undefined })
  const found = new Set<number>()
  for await (const fact of journal.replay()) found.add(Number(fact.split(' ')[2]))
  for (let number = 0; number < acknowledged; number++) expect(found.has(number)).toBe(true)
  await journal.append(['job: more'])
  await journal.close()
}, 60_000)
