import { findMeshProcesses, meshDirOf } from '#libs/lifecycle'

import { CliError, exitCodes } from './cli-error.js'
import { listMeshNames } from './mesh-status.js'

/** The mesh that a command is about: the one that is named, or the only one of this user that runs. */
export async function chooseMesh(named: string | undefined): Promise<string> {
  if (named !== undefined) return named
  const names = await listMeshNames()
  const running = await Promise.all(names.map(async (name) => (await findMeshProcesses(meshDirOf(name))).length > 0))
  const [only, ...others] = names.filter((_, index) => running[index])
  if (only === undefined) {
    const message = 'no mesh runs here: costate up starts one; one elsewhere is named by its address'
    throw new CliError(exitCodes.notFound, 'NO_MESH', message)
  }
  if (others.length === 0) return only
  const message = `several meshes run here: name one of ${[only, ...others].join(', ')}`
  throw new CliError(exitCodes.usage, 'WHICH_MESH', message)
}
