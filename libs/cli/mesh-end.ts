import { setTimeout as sleep } from 'node:timers/promises'

import { findMeshProcesses, removeMeshDir } from '#libs/lifecycle'

import { CliError, exitCodes } from './cli-error.js'

/** How the processes of a mesh ended: in order, or killed because they took too long. */
export interface MeshEnd {
  readonly ended: number
  readonly killed: number
}

/** Services take at most 12 s to end in order. */
const defaultGraceMs = 13_000
const killGraceMs = 2_000
/** No process is told of the end of another that it did not start: it has to look. */
const lookEveryMs = 50

/**
 * Ends a mesh: asks its processes to end, kills those that have not within the grace, and removes its folder with the
 * secrets and checkpoints in it. Only processes that are the mesh's by their command line are touched.
 */
export async function endMesh(meshDir: string, graceMs = defaultGraceMs): Promise<MeshEnd> {
  const running = await findMeshProcesses(meshDir)
  signal(running, 'SIGTERM')
  const stubborn = await waitForEnd(meshDir, graceMs)
  signal(stubborn, 'SIGKILL')
  const left = await waitForEnd(meshDir, killGraceMs)
  if (left.length > 0) {
    const message = `processes ${left.join(', ')} of the mesh in ${meshDir} cannot be ended: look at them with ps`
    throw new CliError(exitCodes.failed, 'PROCESSES_LEFT', message)
  }
  await removeMeshDir(meshDir)
  return { ended: running.length - stubborn.length, killed: stubborn.length }
}

function signal(pids: readonly number[], name: 'SIGTERM' | 'SIGKILL'): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name)
    } catch (error) {
      // It ended in the meantime.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
}

/** The processes that are still there when the time is over. */
async function waitForEnd(meshDir: string, timeoutMs: number): Promise<number[]> {
  const overAtMs = Date.now() + timeoutMs
  for (;;) {
    const running = await findMeshProcesses(meshDir)
    if (running.length === 0 || Date.now() >= overAtMs) return running
    await sleep(lookEveryMs)
  }
}
