import { readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { meshesDir, removeMeshDir } from './mesh-home.js'
import { findMeshProcesses } from './mesh-processes.js'

/** Notes in `<meshDir>/owned` that the mesh ends with this process. */
export async function markOwned(meshDir: string): Promise<void> {
  await writeFile(path.join(meshDir, 'owned'), String(process.pid), { mode: 0o600 })
}

/**
 * Removes the folders, with their secrets, of meshes whose owner was killed and whose services have ended since. A mesh that
 * outlives its maker, or a folder that somebody prepared, is nobody's leftover.
 */
export async function removeLeftMeshes(): Promise<void> {
  const names = await readdir(meshesDir()).catch(() => [])
  await Promise.all(
    names.map(async (name) => {
      const meshDir = path.join(meshesDir(), name)
      const owner = await readFile(path.join(meshDir, 'owned'), 'utf8').catch(() => undefined)
      if (owner === undefined || isRunning(Number(owner))) return
      if ((await findMeshProcesses(meshDir)).length === 0) await removeMeshDir(meshDir)
    }),
  )
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
