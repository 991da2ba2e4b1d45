import assert from 'node:assert/strict'

import { findFakeClock } from '../../harness/slurm/packages.js'
import { smallPool } from '../../harness/slurm/slurm-mesh.js'
import { sameBits, type Scenario, Scene, undisturbedDescent } from './scene.js'

const steps = 100
const hour = 3_600

/** The clocks of the controller and of the nodes are wrong by an hour, in either direction. */
const clockSkew: Scenario = {
  name: 'clock-skew',
  what: 'the clocks of controller and nodes are an hour off',
  run: async () => {
    const figures: string[] = []
    for (const [controllerS, nodeS] of [
      [hour, 0],
      [0, hour],
      [0, -hour],
    ] as const) {
      const clock = [
        `export LD_PRELOAD=${findFakeClock() ?? ''}`,
        `export FAKETIME=${nodeS < 0 ? '' : '+'}${nodeS}s DONT_FAKE_MONOTONIC=1`,
      ]
      const pool = smallPool({ maxWorkers: 1, walltime: '20min', prologue: nodeS === 0 ? [] : clock })
      await using scene = await Scene.set({ nodes: 1, speed: 1, clockAheadS: controllerS }, [pool])
      const folder = await scene.folder('descent')
      const result = await scene.mesh.cluster.submit(scene.tasks.descend, folder, steps).result()
      assert.ok(sameBits(result, undisturbedDescent(steps)), 'the result is another one')
      await scene.untilAlive(0)
      const jobs = await scene.lab.jobs()
      assert.deepEqual(
        jobs.map(({ state }) => state),
        ['COMPLETED'],
      )
      figures.push(`controller ${controllerS} s, node ${nodeS} s: one job`)
    }
    return figures
  },
}

export const clockScenarios: readonly Scenario[] = [clockSkew]
