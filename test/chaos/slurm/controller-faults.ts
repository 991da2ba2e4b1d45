import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

import { waitForFile } from '../../harness/marker-file.js'
import { smallPool } from '../../harness/slurm/slurm-mesh.js'
import { type Scenario, Scene } from './scene.js'
import { until } from './until.js'

const outageMs = 30_000

/** The controller takes the job and stands still before it says so. */
const unclearSubmit: Scenario = {
  name: 'unclear-submit',
  what: 'a submit times out although the job was accepted',
  run: async () => {
    await using scene = await Scene.set({ nodes: 1, messageTimeoutS: 2 }, [smallPool({ maxWorkers: 1 })])
    const folder = await scene.folder('held')
    const struck = scene.log.interfere('sbatch', { before: `kill -STOP ${scene.lab.controller.pid}` })
    const future = scene.mesh.cluster.submit(scene.tasks.hold, folder, 'one')
    await struck
    scene.lab.controller.thaw()
    await waitForFile(path.join(folder, 'one'))
    await writeFile(path.join(folder, 'go'), '')
    assert.equal(await future.result(), 'one')
    await scene.untilAlive(0)
    assert.equal(scene.log.calls('sbatch').length, 1, 'it was submitted again')
    assert.equal((await scene.lab.jobs()).length, 1)
    return ['found by its key, submitted once']
  },
}

/** The controller dies right after it answered, before it saved: it may have forgotten the job, or start it a second time. */
const deadAfterSubmit: Scenario = {
  name: 'dead-after-submit',
  what: 'the controller is killed right after a submit, and starts again',
  run: async () => {
    const figures: string[] = []
    for (const stranger of [false, true]) {
      await using scene = await Scene.set({ nodes: 2 }, [smallPool({ maxWorkers: 1, minWorkers: 1 })])
      await scene.log.interfere('sbatch', { after: `kill -KILL ${scene.lab.controller.pid}` })
      await until('the controller is dead', () => !scene.lab.controller.isUp)
      await scene.lab.controller.start()
      // Somebody else's job, which gets the number that was forgotten, if it was.
      const other = stranger ? await scene.lab.submit('#!/bin/sh\nexec sleep 600\n', '--job-name=other') : undefined
      await scene.untilWorkers(1)
      await until('one job of ours runs, and no other', async () => {
        const alive = (await scene.aliveJobs()).filter(({ name }) => name !== 'other')
        return alive.length === 1 && alive[0]!.state === 'RUNNING'
      })
      const calls = scene.log.calls('squeue').length
      await scene.log.callCount('squeue', calls + 5)
      assert.equal((await scene.mesh.cluster.workers()).length, 1)
      const others = (await scene.aliveJobs()).filter(({ name }) => name === 'other')
      assert.equal(others.length, stranger ? 1 : 0, 'somebody else’s job was touched')
      figures.push(
        `${scene.log.calls('sbatch').length} submits${other === undefined ? '' : `, the other job has number ${other}`}`,
      )
    }
    return figures
  },
}

/** Nobody can reach the controller for half a minute. Workers work on, and nobody is submitted or cancelled in a fright. */
const outage: Scenario = {
  name: 'outage',
  what: 'the controller is away for 30 s',
  run: async () => {
    await using scene = await Scene.set({ nodes: 2 }, [smallPool({ minWorkers: 2, maxWorkers: 2 })])
    const { cluster } = scene.mesh
    await scene.untilWorkers(2)
    const before = (await scene.aliveJobs()).map(({ id }) => id).sort()
    const pids = (await cluster.workers()).map(({ pid }) => pid).sort()
    await scene.lab.controller.stop()
    const calls = scene.log.calls().length
    const startedAtMs = Date.now()
    let done = 0
    while (Date.now() - startedAtMs < outageMs) {
      const squares = await cluster.gather(cluster.map(scene.tasks.square, [1, 2, 3, 4]))
      assert.deepEqual(squares, [1, 4, 9, 16])
      done += squares.length
      await pause(500)
    }
    const asked = scene.log.calls().length - calls
    await scene.lab.controller.start()
    await scene.log.callCount('squeue', scene.log.calls('squeue').length + 5)
    assert.deepEqual((await scene.aliveJobs()).map(({ id }) => id).sort(), before)
    assert.deepEqual((await cluster.workers()).map(({ pid }) => pid).sort(), pids)
    assert.equal(scene.log.calls('scancel').length, 0)
    return [`${done} tasks were done meanwhile; the controller was asked ${asked} times`]
  },
}

/** Without munge every command hangs, and then fails. */
const mungeDown: Scenario = {
  name: 'munge-down',
  what: 'munge is away while a worker is wanted',
  run: async () => {
    await using scene = await Scene.set({ nodes: 1 }, [smallPool({ maxWorkers: 1 })], ['--command-timeout', '3s'])
    await scene.log.callCount('squeue', 2)
    await scene.lab.munge.kill()
    const future = scene.mesh.cluster.submit(scene.tasks.square, 7)
    await scene.log.callCount('squeue', scene.log.calls('squeue').length + 3)
    await scene.lab.munge.start()
    assert.equal(await future.result(), 49)
    await scene.untilAlive(0)
    assert.equal((await scene.lab.jobs()).length, 1, 'more jobs than were wanted')
    return [`${scene.log.calls('sbatch').length} submits, one job`]
  },
}

export const controllerScenarios: readonly Scenario[] = [unclearSubmit, deadAfterSubmit, outage, mungeDown]
