import { mkdir, readFile } from 'node:fs/promises'
import path from 'node:path'

import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'

import { waitForFile } from '../harness/marker-file.js'
import { isAlive } from '../harness/slurm/job-table.js'
import { type SlurmLab, startSlurmLab } from '../harness/slurm/slurm-lab.js'
import { smallPool, type SlurmMesh, startSlurmMesh } from '../harness/slurm/slurm-mesh.js'
import { type Tasks, tasksSource } from '../harness/slurm/user-tasks.js'

const patience = { timeout: 100_000 }
const steps = 250

describe.skipIf(inject('slurmMissing') !== '')('what SLURM says to a job before it ends it', () => {
  let lab: SlurmLab
  let mesh: SlurmMesh
  let tasks: Tasks
  let undisturbed: Float64Array

  beforeAll(async () => {
    lab = await startSlurmLab({ nodes: 2 })
    // Of the lead a worker leaves ten seconds to SLURM, and tells its tasks when half of the rest is over.
    mesh = await startSlurmMesh({ env: lab.env, pools: [smallPool({ maxWorkers: 2, signalLead: '15s' })] })
    tasks = await mesh.importModule<Tasks>('tasks.mjs', tasksSource)
    undisturbed = await mesh.cluster.submit(tasks.descend, await newFolder('undisturbed'), steps).result()
  })

  afterAll(async () => {
    await mesh.close()
    await lab.close()
  })

  async function newFolder(name: string): Promise<string> {
    const folder = path.join(mesh.userDir, name)
    await mkdir(folder)
    return folder
  }

  test.each([
    ['USR1', 'a time limit that comes near', ['--batch', '--signal=USR1']],
    ['TERM', 'a preemption or a cancel', ['--batch', '--signal=TERM']],
  ])(
    '%s, %s: the task saves, moves on, is charged nothing, and its result is the same to the bit',
    async (_, __, words) => {
      const folder = await newFolder(words[1]!)
      const future = mesh.cluster.submit(tasks.descend, folder, steps)
      await waitForFile(path.join(folder, 'at-50'))
      const running = (await lab.jobs()).filter(isAlive)
      for (const { id } of running) await lab.run('scancel', ...words, id)
      // It has no retry: one attempt that is charged would be the end of it.
      const result = await future.result()
      expect(bitsOf(result)).toBe(bitsOf(undisturbed))
      const taken = (await readFile(path.join(folder, 'steps'), 'utf8')).trim().split('\n')
      expect(new Set(taken.map((line) => line.split(' ')[1])).size).toBe(2)
      // At most what lies between two saves is done again.
      expect(taken.length - steps).toBeLessThanOrEqual(20)
      await expect
        .poll(async () => (await lab.jobs()).filter(({ id }) => id === running[0]!.id)[0]?.state, patience)
        .toBe('COMPLETED')
    },
  )
})

function bitsOf(x: Float64Array): string {
  return Buffer.from(x.buffer, x.byteOffset, x.byteLength).toString('hex')
}
