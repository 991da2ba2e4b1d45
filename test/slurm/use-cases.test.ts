import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'

import { isAlive } from '../harness/slurm/job-table.js'
import { type SlurmLab, startSlurmLab } from '../harness/slurm/slurm-lab.js'
import { onSlurm, runUseCase, useCases } from '../harness/use-case.js'

describe.skipIf(inject('slurmMissing') !== '')('the use cases on a real SLURM, with one changed line', () => {
  let lab: SlurmLab
  let folder: string

  beforeAll(async () => {
    lab = await startSlurmLab({ nodes: 2 })
    folder = await mkdtemp(path.join(tmpdir(), 'costate-use-case-'))
  })
  afterAll(async () => {
    await lab.close()
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  })

  test.each(useCases)('%s is right, and leaves no job', async (name, size) => {
    const { env } = lab
    const { code, stdout, stderr } = await runUseCase(name, { size, workers: 2, folder, changeLine: onSlurm, env })
    expect(`${code} ${stderr}`).toMatch(/^0 /)
    expect(stdout).toMatch(/^right: /m)
    expect((await lab.jobs()).length).toBeGreaterThan(0)
    await expect.poll(async () => (await lab.jobs()).filter(isAlive), { timeout: 150_000 }).toEqual([])
  })
})
