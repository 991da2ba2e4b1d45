import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

import { type Cluster, connect } from 'costate'

import { waitForAddress } from '#libs/lifecycle'
import { createMeshSecurity } from '#libs/rpc'

import { packageRoot } from '../local-mesh.js'
import { type ProgramEnd, runToEnd } from '../program.js'
import { type AddedService, addService } from '../service.js'
import type { NetworkLab } from './network-lab.js'

/** A mesh whose scheduler and checkpoint-store are on this machine, and whose workers are on hosts of a lab. */
export interface NetworkedMesh extends AsyncDisposable {
  /** As a program on this machine has it. */
  readonly cluster: Cluster
  readonly meshDir: string
  /** Where the services on this machine can be dialled. */
  readonly schedulerAddress: string
  readonly storeAddress: string
  /** Writes a module into the user's folder and imports it. */
  readonly importModule: <Module>(name: string, source: string) => Promise<Module>
  /** Runs a program of the user's on a host, with such words on its command line. */
  readonly runOn: (host: number, name: string, source: string, words?: readonly string[]) => Promise<ProgramEnd>
}

/** How it is started. */
export interface NetworkedMeshOptions {
  /** The hosts that have a worker. */
  readonly workersOn: readonly number[]
  /** Flags of each worker. */
  readonly flags?: readonly string[]
}

const startTimeoutMs = 60_000
/** All hosts of a lab share this machine's memory: no bytes may go around the network. */
const apart = { COSTATE_SHARED_MEMORY: 'off' }

export async function startNetworkedMesh(lab: NetworkLab, options: NetworkedMeshOptions): Promise<NetworkedMesh> {
  const folder = await mkdtemp(path.join(tmpdir(), 'costate-test-'))
  const meshDir = path.join(folder, 'mesh')
  const userDir = path.join(folder, 'user')
  const services: AddedService[] = []
  let cluster: Cluster | undefined
  const close = async (): Promise<void> => {
    await cluster?.close()
    await Promise.all(services.map((service) => service.stop()))
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
  try {
    await createMeshSecurity(meshDir, { tls: true })
    await mkdir(path.join(userDir, 'node_modules'), { recursive: true })
    await symlink(packageRoot, path.join(userDir, 'node_modules', 'costate'))
    await writeFile(path.join(userDir, 'package.json'), '{ "name": "user", "type": "module" }')
    const listen = ['--listen-address', `${lab.machineAddress}:0`]
    services.push(await addService(meshDir, 'scheduler', listen, apart))
    const storeDir = ['--data-dir', path.join(folder, 'store')]
    services.push(await addService(meshDir, 'checkpoint-store', [...listen, ...storeDir], apart))
    for (const host of options.workersOn) {
      const words = ['--listen-address', `${lab.addressOf(host)}:0`, ...(options.flags ?? [])]
      services.push(await addService(meshDir, 'worker', words, apart, lab.inHost(host)))
    }
    const [schedulerAddress, storeAddress] = await Promise.all(
      (['scheduler', 'checkpointStore'] as const).map(async (service) => {
        const { addresses } = await waitForAddress(meshDir, service, AbortSignal.timeout(startTimeoutMs))
        return addresses[0] ?? ''
      }),
    )
    cluster = await connect(schedulerAddress ?? '', { meshDir })
    await cluster.waitForWorkers(options.workersOn.length, { timeout: startTimeoutMs })
    return {
      ...{ cluster, meshDir, schedulerAddress: schedulerAddress ?? '', storeAddress: storeAddress ?? '' },
      importModule: async <Module>(name: string, source: string) => {
        const file = path.join(userDir, name)
        await writeFile(file, source)
        return (await import(/* @vite-ignore */ pathToFileURL(file).href)) as Module
      },
      runOn: async (host, name, source, words = []) => {
        const file = path.join(userDir, name)
        await writeFile(file, source)
        const [command, ...first] = lab.inHost(host)
        const env = { ...apart, COSTATE_MESH_DIR: meshDir, COSTATE_HOME: path.join(folder, 'home') }
        return await runToEnd(command, [...first, process.execPath, file, ...words], { env, cwd: userDir })
      },
      [Symbol.asyncDispose]: close,
    }
  } catch (error) {
    await close()
    throw error
  }
}
