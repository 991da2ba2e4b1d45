import { rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import path from 'node:path'

/** Where the folders of this user's meshes lie: `COSTATE_HOME` or `~/.costate`, then `meshes`. */
export function meshesDir(): string {
  return path.join(process.env['COSTATE_HOME'] ?? path.join(homedir(), '.costate'), 'meshes')
}

/**
 * The folder of a mesh, by its name.
 *
 * @throws RangeError when the text can be no name.
 */
export function meshDirOf(name: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)) {
    throw new RangeError(`'${name}' is no mesh name: use at most 64 letters, digits, dots, dashes and underscores`)
  }
  return path.join(meshesDir(), name)
}

/**
 * Removes the folder of a mesh that ended, with its secrets. Processes elsewhere that have not heard of the end (workers in jobs
 * that just start) may still write into it: it is tried again then.
 */
export async function removeMeshDir(meshDir: string): Promise<void> {
  await rm(meshDir, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 })
}
