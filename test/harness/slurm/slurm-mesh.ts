import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

import { type Cluster, connect } from 'costate'

import { recordMeshProcess, waitForAddress } from '#libs/lifecycle'
import { type Allocation, type Pool, ProvisionerServiceDefinition } from '#libs/proto'
import {
  closeRpcChannel,
  createMeshSecurity,
  createRpcChannel,
  createRpcClient,
  loadSecurity,
  type Role,
  type RpcClient,
} from '#libs/rpc'

import { packageRoot } from '../local-mesh.js'
import { type ProgramEnd, runToEnd } from '../program.js'
import { type AddedService, addService } from '../service.js'
import { ProvisionerProcess } from './provisioner-process.js'

/** A pool as a pools file has it. */
export interface PoolSettings {
  readonly name: string
  readonly [setting: string]: unknown
}

/** A mesh whose workers come from a SLURM, and from nowhere else. */
export interface SlurmMesh extends AsyncDisposable {
  readonly cluster: Cluster
  readonly meshDir: string
  /** The user's folder, outside the repository, with the package installed. */
  readonly userDir: string
  readonly poolsFile: string
  /** The provisioner that was started last. */
  readonly provisioner: ProvisionerProcess
  /** Starts one, as the mesh's options say, with further flags. */
  startProvisioner(...flags: readonly string[]): Promise<ProvisionerProcess>
  /** What the provisioner says of a pool. @throws Error when it has no such pool. */
  pool(name?: string): Promise<Pool>
  /** Every allocation that it knows, the newest first; those that ended too. */
  allocations(): Promise<readonly Allocation[]>
  /** The provisioner, for whatever else it can be asked. */
  callProvisioner<T>(call: (client: RpcClient<typeof ProvisionerServiceDefinition>) => Promise<T>): Promise<T>
  /** Runs the `costate` command, for this mesh, to its end. */
  costate(...words: readonly string[]): Promise<ProgramEnd>
  /** Writes the pools file anew. */
  editPools(pools: readonly PoolSettings[]): Promise<void>
  /** Writes a module into the user's folder and imports it. */
  importModule<Module>(name: string, source: string): Promise<Module>
  close(): Promise<void>
}

export interface SlurmMeshOptions {
  /** Which SLURM: the `env` of a lab or of a fake. */
  readonly env: Readonly<Record<string, string>>
  readonly pools: readonly PoolSettings[]
  /** Flags of each provisioner. */
  readonly flags?: readonly string[]
  /** Whether a provisioner runs from the start; default true. */
  readonly provisioned?: boolean
}

const startTimeoutMs = 30_000
const meshName = 'test'
const command = path.join(packageRoot, 'dist', 'libs', 'cli', 'main.js')

/** A small pool of workers of one slot that come and go quickly, with whatever a test needs otherwise. */
export function smallPool(settings: Readonly<Record<string, unknown>> = {}): PoolSettings {
  return {
    name: 'cpu',
    slots: 1,
    cpus: 1,
    memory: '500MB',
    // An hour where the controller's clock runs ten times as fast: no test lives to see it.
    walltime: '10h',
    signalLead: '1min',
    minWorkers: 0,
    maxWorkers: 4,
    idleTimeout: '1s',
    listenAddress: '127.0.0.1:0',
    ...settings,
  }
}

/** Starts a scheduler, a checkpoint-store and a provisioner, all of the build, in a folder of their own. */
export async function startSlurmMesh(options: SlurmMeshOptions): Promise<SlurmMesh> {
  const { env, pools, flags = [], provisioned = true } = options
  const folder = await mkdtemp(path.join(tmpdir(), 'costate-test-'))
  const home = path.join(folder, 'home')
  const meshDir = path.join(home, 'meshes', meshName)
  const userDir = path.join(folder, 'user')
  const poolsFile = path.join(folder, 'pools.json')
  const services: AddedService[] = []
  const provisioners: ProvisionerProcess[] = []
  let cluster: Cluster | undefined

  const editPools = (edited: readonly PoolSettings[]): Promise<void> =>
    writeFile(poolsFile, JSON.stringify({ pools: edited }))
  const startProvisioner = async (...more: readonly string[]): Promise<ProvisionerProcess> => {
    const started = await ProvisionerProcess.start(meshDir, ['--pools-file', poolsFile, ...flags, ...more], env)
    provisioners.push(started)
    // By its processes a mesh is found by who does not name it.
    recordMeshProcess(meshDir, started.pid)
    return started
  }
  const callProvisioner: SlurmMesh['callProvisioner'] = async (call) => await callAs('admin', meshDir, call)
  const close = async (): Promise<void> => {
    await cluster?.close()
    await Promise.all(provisioners.map((one) => one.kill()))
    await Promise.all(services.map((service) => service.stop()))
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
  try {
    await createMeshSecurity(meshDir)
    await mkdir(path.join(userDir, 'node_modules'), { recursive: true })
    await symlink(packageRoot, path.join(userDir, 'node_modules', 'costate'))
    await writeFile(path.join(userDir, 'package.json'), '{ "name": "user", "type": "module" }')
    await editPools(pools)
    services.push(await addService(meshDir, 'scheduler'))
    services.push(await addService(meshDir, 'checkpoint-store', ['--data-dir', path.join(folder, 'store')]))
    const { addresses } = await waitForAddress(meshDir, 'scheduler', AbortSignal.timeout(startTimeoutMs))
    cluster = await connect(addresses[0]!, { meshDir })
    if (provisioned) await startProvisioner()
  } catch (error) {
    await close()
    throw error
  }
  return {
    cluster,
    meshDir,
    userDir,
    poolsFile,
    get provisioner() {
      const last = provisioners.at(-1)
      if (last === undefined) throw new Error('no provisioner was started')
      return last
    },
    startProvisioner,
    pool: async (name = 'cpu') => {
      const pools = (await callProvisioner((client) => client.listPools({ pageSize: 1_000 }))).pools
      const found = pools.find((pool) => pool.name === name)
      if (found === undefined)
        throw new Error(`there is no pool ${name}; there are ${pools.map((pool) => pool.name).join(', ')}`)
      return found
    },
    allocations: async () =>
      (await callProvisioner((client) => client.listAllocations({ pageSize: 1_000 }))).allocations,
    callProvisioner,
    costate: (...words) =>
      runToEnd(process.execPath, [command, ...words], { env: { ...env, COSTATE_HOME: home, NO_COLOR: '1' } }),
    editPools,
    importModule: async <Module>(name: string, source: string) => {
      const file = path.join(userDir, name)
      await writeFile(file, source)
      return (await import(/* @vite-ignore */ pathToFileURL(file).href)) as Module
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** One call to the mesh's provisioner, in a role. */
async function callAs<T>(
  role: Role,
  meshDir: string,
  call: (client: RpcClient<typeof ProvisionerServiceDefinition>) => Promise<T>,
): Promise<T> {
  const { addresses } = await waitForAddress(meshDir, 'slurm-provisioner', AbortSignal.timeout(startTimeoutMs))
  const security = await loadSecurity(meshDir, role)
  const channel = createRpcChannel(addresses, { security, serverRole: 'provisioner', kind: 'control' })
  try {
    return await call(createRpcClient(ProvisionerServiceDefinition, channel))
  } finally {
    closeRpcChannel(channel)
  }
}
