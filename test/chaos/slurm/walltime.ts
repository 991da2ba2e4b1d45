import assert from 'node:assert/strict'

import { smallPool } from '../../harness/slurm/slurm-mesh.js'
import { sameBits, type Scenario, Scene, stepsIn, undisturbedDescent } from './scene.js'

const steps = 4_000

/** The time limit comes while a task runs that is longer than any job may be: it saves, moves on, and is charged nothing. */
const walltime: Scenario = {
  name: 'walltime',
  what: 'time limits end several jobs, one after the other, while one task runs',
  run: async () => {
    // By the real clock: workers must have the time that they are told they have.
    const pool = smallPool({ maxWorkers: 1, walltime: '1min', signalLead: '30s' })
    await using scene = await Scene.set({ nodes: 2, speed: 1 }, [pool])
    const folder = await scene.folder('descent')
    // It has no retry to lose.
    const result = await scene.mesh.cluster.submit(scene.tasks.descend, folder, steps).result()
    assert.ok(sameBits(result, undisturbedDescent(steps)), 'the result is another one')
    const taken = await stepsIn(folder)
    const workers = new Set(taken.map(({ pid }) => pid)).size
    assert.ok(workers >= 2, 'no time limit came while the task ran')
    const again = taken.length - steps
    assert.ok(again < 20 * workers, `${again} steps were taken a second time by ${workers} workers`)
    await scene.untilAlive(0)
    const ends = (await scene.lab.jobs()).map(({ state }) => state)
    return [`${workers} workers, ${again} steps taken twice; jobs ended ${ends.join(' ')}`]
  },
}

export const walltimeScenarios: readonly Scenario[] = [walltime]
