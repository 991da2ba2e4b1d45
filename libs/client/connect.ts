import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'

import { meshDirOf, readAddress } from '#libs/lifecycle'
import { loadSecurity } from '#libs/rpc'
import { durabilityToWire } from '#libs/submission'
import { type DurabilityLevel, MeshError } from '#libs/task'
import { startTelemetry } from '#libs/telemetry'

import { defaultsOf } from './cluster-defaults.js'
import type { Cluster } from './cluster.js'
import { MeshCluster } from './mesh-cluster.js'
import { MeshConnection } from './mesh-connection.js'
import { checkAnswers } from './scheduler-probe.js'

/** How to reach a mesh that runs. */
export interface ConnectOptions {
  /** The folder with the mesh's secrets; by default that of the mesh with the given name, or COSTATE_MESH_DIR. */
  readonly meshDir?: string
  /** Where the checkpoint-store listens (host:port); by default the mesh folder says. */
  readonly checkpointStoreAddress?: string
  /** How safe jobs must be before their submits are answered, unless `with` says otherwise: see `SubmitOptions`. */
  readonly durability?: DurabilityLevel
}

/**
 * Connects to a mesh that runs: by its name on this machine, or by the scheduler's address (host:port) together with a mesh
 * folder that holds a client's token and, off loopback, certificates.
 *
 * @throws MeshError when the mesh is unknown, does not answer or refuses this client.
 */
export async function connect(nameOrAddress: string, options: ConnectOptions = {}): Promise<Cluster> {
  durabilityToWire(options)
  const isAddress = nameOrAddress.includes(':')
  const meshDir = options.meshDir ?? (isAddress ? process.env['COSTATE_MESH_DIR'] : meshDirOf(nameOrAddress))
  if (meshDir === undefined || !existsSync(meshDir)) {
    const message = isAddress
      ? `connect('${nameOrAddress}') needs the mesh folder with the client's token: give meshDir or set COSTATE_MESH_DIR`
      : `there is no mesh named '${nameOrAddress}' on this machine`
    throw new MeshError('NOT_FOUND', 'MESH_NOT_FOUND', message)
  }
  const security = await loadSecurity(meshDir, 'client')
  const found = isAddress ? [nameOrAddress] : (await readAddress(meshDir, 'scheduler'))?.addresses
  if (found === undefined)
    throw new MeshError('UNAVAILABLE', 'MESH_DOWN', `the mesh '${nameOrAddress}' has no scheduler`)
  await checkAnswers(found)
  const runDir = await readFile(path.join(meshDir, 'run-dir'), 'utf8').catch(() => undefined)
  const telemetry = startTelemetry({
    service: 'client',
    instanceId: `client-${process.pid}`,
    ...(runDir ? { runDir } : {}),
  })
  const connection = new MeshConnection({
    schedulerAddresses: isAddress ? found : async () => (await readAddress(meshDir, 'scheduler'))?.addresses ?? found,
    storeAddresses: async () => {
      if (options.checkpointStoreAddress) return [options.checkpointStoreAddress]
      const store = await readAddress(meshDir, 'checkpointStore')
      if (store) return store.addresses
      const message = `the folder of the mesh '${nameOrAddress}' names no checkpoint-store: give checkpointStoreAddress`
      throw new MeshError('UNAVAILABLE', 'STORE_UNKNOWN', message)
    },
    security,
    openWithinMs: 5_000,
  })
  const unmanaged = async (): Promise<void> => {
    throw new MeshError('FAILED_PRECONDITION', 'NOT_THE_OWNER', 'whoever made this mesh decides on its workers')
  }
  try {
    await connection.session.opened
  } catch (error) {
    connection.close()
    await telemetry.shutdown()
    throw error
  }
  const scaler = {
    scale: unmanaged,
    adapt: () => {
      throw new MeshError('FAILED_PRECONDITION', 'NOT_THE_OWNER', 'whoever made this mesh decides on its workers')
    },
    describeTroubles: async () => `see the logs ${runDir ? `in ${path.join(runDir, 'logs')}` : 'of the mesh'}`,
    close: async () => telemetry.shutdown(),
  }
  return new MeshCluster(nameOrAddress, connection, scaler, defaultsOf(options))
}
