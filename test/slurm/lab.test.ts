import { existsSync } from 'node:fs'

import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'

import { runToEnd } from '../harness/program.js'
import { logCommands } from '../harness/slurm/command-log.js'
import type { JobRow } from '../harness/slurm/job-table.js'
import { clusterProcesses } from '../harness/slurm/node-processes.js'
import { type SlurmLab, startSlurmLab } from '../harness/slurm/slurm-lab.js'

const sleeper = '#!/bin/sh\nexec sleep 600\n'
const patience = { timeout: 60_000 }

/** The cluster that the other tests stand on does what a cluster does, and its faults are those of a real one. */
describe.skipIf(inject('slurmMissing') !== '')('a real SLURM', () => {
  let lab: SlurmLab

  beforeAll(async () => {
    lab = await startSlurmLab({ nodes: 3, messageTimeoutS: 2 })
  })

  afterAll(async () => {
    await lab.close()
  })

  async function jobOf(id: string): Promise<JobRow | undefined> {
    return (await lab.jobs()).find((job) => job.id === id)
  }

  async function expectState(id: string, state: string): Promise<void> {
    await expect.poll(async () => (await jobOf(id))?.state, patience).toBe(state)
  }

  test('a job runs to its end, and another is cancelled', async () => {
    const ended = await lab.submit('#!/bin/sh\nexit 3\n')
    const cancelled = await lab.submit(sleeper, '--comment=with words, and a comma')
    await expectState(cancelled, 'RUNNING')
    expect(await jobOf(cancelled)).toMatchObject({ comment: 'with words, and a comma', restarts: 0 })
    await lab.run('scancel', cancelled)
    await expectState(cancelled, 'CANCELLED')
    await expectState(ended, 'FAILED')
  })

  test('a wrong option is refused in SLURM’s own words', async () => {
    await expect(lab.submit(sleeper, '--partition=nope')).rejects.toThrow('Invalid partition name specified')
    await expect(lab.submit(sleeper, '--mem=9999999')).rejects.toThrow('Memory specification can not be satisfied')
  })

  test('a time limit of a minute ends a job in seconds, after its signal', async () => {
    const startedAtMs = Date.now()
    const id = await lab.submit(
      `#!/bin/sh\ntrap 'touch ${lab.dir}/told' USR1\n${waiting}`,
      '--time=1',
      '--signal=B:USR1@30',
    )
    await expectState(id, 'TIMEOUT')
    expect(existsSync(`${lab.dir}/told`)).toBe(true)
    // Before its minute was over by our clock.
    expect(Date.now() - startedAtMs).toBeLessThan(59_000)
  })

  test('a node without power loses its job, which runs elsewhere; the node comes back', async () => {
    const id = await lab.submit(sleeper, '--requeue')
    await expectState(id, 'RUNNING')
    const lost = (await jobOf(id))!.node
    await expect.poll(() => lab.node(lost).jobProcesses().length, patience).toBeGreaterThan(0)
    await lab.node(lost).powerOff()
    expect(lab.node(lost).jobProcesses()).toEqual([])
    await lab.run('scontrol', 'update', `nodename=${lost}`, 'state=down', 'reason=test')
    await expect.poll(() => jobOf(id), patience).toMatchObject({ state: 'RUNNING', restarts: 1 })
    expect((await jobOf(id))!.node).not.toBe(lost)
    await lab.node(lost).start()
    await lab.run('scancel', id)
  })

  test('a controller that stands still takes a job and does not say so', async () => {
    const elsewhere = await lab.submit(sleeper)
    await expectState(elsewhere, 'RUNNING')
    lab.controller.freeze()
    await expect(lab.submit(sleeper, '--job-name=unclear')).rejects.toThrow('Socket timed out on send/recv operation')
    lab.controller.thaw()
    await expect.poll(async () => (await lab.jobs()).filter(({ name }) => name === 'unclear').length, patience).toBe(1)
    await lab.run('scancel', '--name=unclear')
    await lab.run('scancel', elsewhere)
  })

  test('a controller that was killed serves again, and jobs that ran still run', async () => {
    const id = await lab.submit(sleeper)
    await expectState(id, 'RUNNING')
    // In order, so that it has saved what it knew.
    await lab.controller.stop()
    await expect(lab.jobs()).rejects.toThrow('Unable to contact slurm controller')
    await lab.controller.start()
    await expectState(id, 'RUNNING')
    await lab.run('scancel', id)
  })

  test('a munge that was killed is there again', async () => {
    await lab.munge.kill()
    await lab.munge.start()
    await expect.poll(async () => (await lab.run('sinfo')).code, patience).toBe(0)
  })

  test('calls are written down, and something may happen at the very moment of one', async () => {
    const log = await logCommands(lab)
    const submit = (): Promise<unknown> =>
      runToEnd('sbatch', ['--wrap', 'true', '--output=/dev/null'], { env: log.env })
    const struck = log.interfere('sbatch', { before: `touch '${lab.dir}/before'`, after: `rm '${lab.dir}/before'` })
    await submit()
    await struck
    expect(existsSync(`${lab.dir}/before`)).toBe(false)
    await submit()
    await log.callCount('sbatch', 2)
    expect(log.calls().map(({ command }) => command)).toEqual(['sbatch', 'sbatch'])
    expect(Math.abs(log.calls()[0]!.atMs - Date.now())).toBeLessThan(60_000)
  })

  test('two clusters at once do not meet, and nothing of one is left when it is closed', async () => {
    const other = await startSlurmLab({ nodes: 1 })
    const id = await other.submit(sleeper, '--job-name=other')
    await expect.poll(async () => (await other.jobs()).map(({ state }) => state), patience).toEqual(['RUNNING'])
    expect((await lab.jobs()).filter(({ name }) => name === 'other')).toEqual([])
    await expect.poll(() => other.node('node1').jobProcesses().length, patience).toBeGreaterThan(0)
    await other.close()
    expect(clusterProcesses(other.dir)).toEqual([])
    expect(existsSync(other.dir)).toBe(false)
    expect(id).toBe('1')
  })
})

// A shell takes a signal when a child of it has ended.
const waiting = 'while :; do sleep 0.1; done\n'
