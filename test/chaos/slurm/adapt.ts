import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

import { smallPool } from '../../harness/slurm/slurm-mesh.js'
import { type Scenario, Scene } from './scene.js'
import { until } from './until.js'

const workers = 50
const lookMs = 200

/** From one worker to fifty and back to none, as work comes and goes. */
const adapt: Scenario = {
  name: 'adapt',
  what: `1 → ${workers} → 0 workers, with at most one change of direction`,
  run: async () => {
    const pool = smallPool({ maxWorkers: workers, idleTimeout: '5s', memory: '300MB' })
    await using scene = await Scene.set({ nodes: 4, cpusPerNode: 16, memoryPerNodeMb: 16_000 }, [pool])
    const { cluster } = scene.mesh
    const folder = await scene.folder('held')
    const wanted: number[] = []
    const watching = new AbortController()
    const watched = (async () => {
      while (!watching.signal.aborted) {
        wanted.push((await scene.aliveJobs()).length)
        await pause(lookMs)
      }
    })()
    await cluster.submit(scene.tasks.square, 2).result()
    const names = Array.from({ length: 4 * workers }, (_, k) => `task-${k}`)
    const futures = names.map((name) => cluster.submit(scene.tasks.hold, folder, name))
    await until(`${workers} workers are there`, async () => (await cluster.workers()).length === workers, 300_000)
    const atTop = wanted.length
    await writeFile(path.join(folder, 'go'), '')
    await cluster.gather(futures)
    await scene.untilAlive(0)
    watching.abort()
    await watched
    const turns = directionChanges(wanted)
    assert.ok(Math.max(...wanted) <= workers, `${Math.max(...wanted)} jobs at once`)
    assert.ok(turns <= 1, `${turns} changes of direction: ${wanted.join(' ')}`)
    return [
      `${turns} change of direction; up after ${(atTop * lookMs) / 1_000} s; ${scene.log.calls('sbatch').length} submits, ${scene.log.calls('scancel').length} cancels`,
    ]
  },
}

/** How often a series turns from rising to falling or back. */
export function directionChanges(series: readonly number[]): number {
  const signs = series
    .slice(1)
    .map((value, k) => Math.sign(value - series[k]!))
    .filter((sign) => sign !== 0)
  return signs.slice(1).filter((sign, k) => sign !== signs[k]).length
}

export const adaptScenarios: readonly Scenario[] = [adapt]
