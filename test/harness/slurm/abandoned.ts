import { readdir, readFile, rm } from 'node:fs/promises'
import path from 'node:path'

import { clusterProcesses, isRunning, killAll } from './node-processes.js'

/** What the folders of clusters begin with. */
export const labPrefix = 'costate-slurm-'
/** Holds the process id of who started the cluster. */
export const ownerFile = 'owner.pid'

/** Ends the clusters in a folder whose owners were killed before they could. Nothing else is touched. */
export async function endAbandonedLabs(base: string): Promise<void> {
  const names = (await readdir(base)).filter((name) => name.startsWith(labPrefix))
  for (const dir of names.map((name) => path.join(base, name))) {
    const owner = Number(await readFile(path.join(dir, ownerFile), 'utf8').catch(() => ''))
    // One that has no owner yet is just being made.
    if (owner === 0 || isRunning(owner)) continue
    await killAll(() => clusterProcesses(dir))
    await rm(dir, { recursive: true, force: true, maxRetries: 5 })
  }
}
