import assert from 'node:assert/strict'
import path from 'node:path'

import { waitForFile } from '../../harness/marker-file.js'
import { smallPool } from '../../harness/slurm/slurm-mesh.js'
import { sameBits, type Scenario, Scene, stepsIn, undisturbedDescent } from './scene.js'
import { until } from './until.js'

const steps = 400
/** Long enough that both copies are there while it runs. */
const longSteps = 4_000
/** Nodes are down soon after they stop to answer. */
const quickLoss = { nodes: 2, nodeTimeoutS: 3 }

/** The node of a task goes without power: SLURM queues the job again, and the task goes on from its checkpoint. */
const nodeDown: Scenario = {
  name: 'node-down',
  what: 'a node loses its power in the middle of a task',
  run: async () => {
    await using scene = await Scene.set(quickLoss, [smallPool({ maxWorkers: 1 })])
    const folder = await scene.folder('descent')
    const future = scene.mesh.cluster.submit(scene.tasks.descend, folder, steps)
    await waitForFile(path.join(folder, 'at-100'))
    const [job] = await scene.aliveJobs()
    assert.ok(job)
    await scene.lab.node(job.node).powerOff()
    const result = await future.result()
    assert.ok(sameBits(result, undisturbedDescent(steps)), 'the result is another one')
    const taken = await stepsIn(folder)
    const again = taken.length - steps
    assert.ok(again < 100, `${again} steps were taken a second time`)
    assert.equal(new Set(taken.map(({ pid }) => pid)).size, 2)
    await scene.untilAlive(0)
    const known = await scene.lab.jobs()
    return [
      `${again} steps taken twice; ${known.length} jobs, ${known.map(({ restarts }) => restarts).join(' ')} restarts`,
    ]
  },
}

/** slurmd of a node is cut off, its job is started elsewhere, and the old copy still runs: it must do no harm. */
const splitBrain: Scenario = {
  name: 'split-brain',
  what: 'a node is cut off, its job is started again elsewhere while the old copy runs on',
  run: async () => {
    await using scene = await Scene.set(quickLoss, [smallPool({ maxWorkers: 1, minWorkers: 1 })])
    const { cluster } = scene.mesh
    await scene.untilWorkers(1)
    const folder = await scene.folder('descent')
    const future = cluster.submit(scene.tasks.descend, folder, longSteps)
    await waitForFile(path.join(folder, 'at-100'))
    const [job] = await scene.aliveJobs()
    assert.ok(job)
    const [old] = await cluster.workers()
    await scene.lab.node(job.node).crash()
    await until('the job runs a second time', async () =>
      (await scene.aliveJobs()).some(({ restarts, state }) => restarts > 0 && state === 'RUNNING'),
    )
    const other = scene.lab.nodes.find(({ name }) => name !== job.node)
    await until('the new copy is a process', () => (other?.jobProcesses().length ?? 0) > 0)
    await until('the new copy gets tasks and the old one gets none', async () => {
      const workers = await cluster.workers()
      const states = workers.map(({ id, state }) => `${id === old!.id ? 'old' : 'new'} ${state}`).sort()
      return states.includes('new ready') && !states.includes('old ready')
    })
    await scene.lab.node(job.node).start()
    // SLURM ends the old copy in the middle of the task, which goes on from its checkpoint in the new one.
    await until('the old copy is gone', () => scene.lab.node(job.node).jobProcesses().length === 0)
    const result = await future.result()
    assert.ok(sameBits(result, undisturbedDescent(longSteps)), 'the result is another one')
    const submitted = scene.log.calls('sbatch').length
    assert.equal(submitted, 1, 'a job that was queued again is no reason for another one')
    const taken = await stepsIn(folder)
    assert.equal(new Set(taken.map(({ pid }) => pid)).size, 2, 'the task did not move to the new copy')
    return [`${taken.length - longSteps} steps taken twice`]
  },
}

export const lostNodeScenarios: readonly Scenario[] = [nodeDown, splitBrain]
