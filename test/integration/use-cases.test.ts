import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { expect, test } from 'vitest'

import { runUseCase, useCases } from '../harness/use-case.js'

test.each(useCases)('%s runs on a local cluster as it stands, and is right', async (name, size) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'costate-use-case-'))
  const asItStands = (program: string): string => program
  const { code, stdout, stderr } = await runUseCase(name, { size, workers: 2, folder, changeLine: asItStands })
  await rm(folder, { recursive: true, force: true })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(/^right: /m)
})
