import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'

import { smallPool } from '../../harness/slurm/slurm-mesh.js'
import { type Scenario, Scene } from './scene.js'
import { until } from './until.js'

/** Pools change under a provisioner that runs. */
const poolEdited: Scenario = {
  name: 'pool-edited',
  what: 'the pools file is edited, also wrongly, while workers run',
  run: async () => {
    await using scene = await Scene.set({ nodes: 2 }, [smallPool({ minWorkers: 2 })])
    const { mesh, log } = scene
    await scene.untilWorkers(2)
    const first = (await scene.aliveJobs()).map(({ id }) => id)
    await mesh.editPools([smallPool({ minWorkers: 3 })])
    await scene.untilWorkers(3)
    const more = (await scene.aliveJobs()).map(({ id }) => id)
    assert.ok(
      first.every((id) => more.includes(id)),
      'jobs were ended for nothing',
    )
    // Half of an edit, and a wrong one: what was right before stays.
    for (const wrong of ['{"pools": [{"name": "cpu", "minW', '{"pools": [{"name": "cpu", "minWorkerz": 9}]}']) {
      await writeFile(mesh.poolsFile, wrong)
      await log.callCount('squeue', log.calls('squeue').length + 5)
      assert.equal((await mesh.cluster.workers()).length, 3)
    }
    await mesh.editPools([smallPool({ minWorkers: 1, maxWorkers: 1 })])
    await scene.untilWorkers(1)
    // Another pool takes the place of the first.
    await mesh.editPools([smallPool({ name: 'other', minWorkers: 2 })])
    await until('the jobs are those of the other pool', async () => {
      const names = (await scene.aliveJobs()).map(({ name }) => name.split('-')[2])
      return names.length === 2 && names.every((name) => name === 'other')
    })
    await scene.untilWorkers(2)
    return [`${log.calls('sbatch').length} submits`]
  },
}

export const poolEditScenarios: readonly Scenario[] = [poolEdited]
