import path from 'node:path'

import { findMeshProcesses, readAddress, removeMeshDir, waitForAddress } from '#libs/lifecycle'

import { readLogTail, type ServiceProcess } from './service-process.js'

/** How long a service may take to say where it listens. */
export const startTimeoutMs = 30_000

/** Where a service of the cluster listens, once it has said so. */
export async function addressesOf(meshDir: string, service: string, runDir: string): Promise<readonly string[]> {
  const known = await readAddress(meshDir, service)
  if (known) return known.addresses
  const signal = AbortSignal.timeout(startTimeoutMs)
  try {
    return (await waitForAddress(meshDir, service, signal)).addresses
  } catch (error) {
    if (!signal.aborted) throw error
    const name = service.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
    const waited = `within ${startTimeoutMs / 1000} s where it listens`
    const logs = `${path.join(runDir, 'logs')} ends with\n${await readLogTail(runDir, name)}`
    const message = `the ${name} did not say ${waited}: its log in ${logs}`
    throw new Error(message, { cause: error })
  }
}

/** What was waited for, or the end of a service in the meantime as an error that shows why. */
export async function orFailed<T>(processes: readonly ServiceProcess[], waited: Promise<T>): Promise<T> {
  const failures = processes.map(async (service) => {
    const code = await service.exited
    throw new Error(`the ${service.name} ended with code ${code} at its start:\n${await service.logTail()}`)
  })
  for (const failure of failures) failure.catch(() => undefined)
  return await Promise.race([waited, ...failures])
}

/** Makes room for a mesh of this name. @throws Error when one runs. */
export async function refuseRunningMesh(meshDir: string, name: string): Promise<void> {
  if ((await findMeshProcesses(meshDir)).length > 0) {
    throw new Error(`a mesh named '${name}' runs: use connect('${name}'), or end it with costate down ${name}`)
  }
  // Left behind by a program that was killed; a folder that no service wrote into is one that somebody prepared.
  if (await readAddress(meshDir, 'scheduler')) await removeMeshDir(meshDir)
}
