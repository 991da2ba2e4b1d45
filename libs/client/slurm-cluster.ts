import { randomUUID } from 'node:crypto'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import path from 'node:path'

import { sharedDiskOf } from '#libs/journal'
import { markOwned, meshDirOf, recordMeshProcess, removeLeftMeshes, removeMeshDir } from '#libs/lifecycle'
import { ProvisionerServiceDefinition } from '#libs/proto'
import { closeRpcChannel, createMeshSecurity, createRpcChannel, createRpcClient, loadSecurity } from '#libs/rpc'
import { durabilityToWire } from '#libs/submission'
import { MeshError } from '#libs/task'
import { startTelemetry } from '#libs/telemetry'

import { defaultsOf } from './cluster-defaults.js'
import type { Cluster } from './cluster.js'
import { cancelOnInterrupt, isLeaving } from './interrupt.js'
import { MeshCluster } from './mesh-cluster.js'
import { MeshConnection } from './mesh-connection.js'
import { addressesOf, orFailed, refuseRunningMesh } from './mesh-start.js'
import { makePrivateFolder } from './private-folder.js'
import { createRunDir } from './run-folder.js'
import { type ServiceProcess, type ServiceProcessOptions, startServiceProcess } from './service-process.js'
import { checkBounds, isOnlyHere, poolName, poolsFileOf, type SlurmClusterOptions } from './slurm-options.js'
import { createSlurmScaler } from './slurm-scaler.js'

/** SLURM has to be told that the jobs are to end, and may be slow. */
const stopGraceMs = 12_000
const trialTimeoutMs = 60_000

/**
 * Starts a mesh on this machine, mostly a login node, whose workers are SLURM jobs: scheduler, checkpoint-store and provisioner
 * here, `workers` jobs or as many as `adapt` asks for on the nodes. The nodes must see this user's home (or COSTATE_HOME) and this
 * package under the same paths, and reach this machine; nothing has to reach them. It ends with this program, however the program
 * ends, and its SLURM jobs with it.
 *
 * It resolves when SLURM would take the jobs, not when they run: `waitForWorkers` waits for that, tasks wait by themselves.
 *
 * @throws RangeError for options that make no sense; MeshError with SLURM's words and advice when it would refuse the jobs; Error
 * with a service's last log lines when one does not start.
 */
export async function createSlurmCluster(options: SlurmClusterOptions = {}): Promise<Cluster> {
  const { workers = 0, keepAlive = false, host = '0.0.0.0', pollInterval = '10s' } = options
  const bounds = { minimum: workers, maximum: workers }
  checkBounds(bounds)
  durabilityToWire(options)
  const name = options.name ?? `slurm-${randomUUID().slice(0, 8)}`
  const meshDir = meshDirOf(name)
  const runDir = await createRunDir(options.runDir, name)
  await refuseRunningMesh(meshDir, name)
  await removeLeftMeshes()
  await createMeshSecurity(meshDir, { tls: !isOnlyHere(host) })
  if (!keepAlive) await markOwned(meshDir)
  await writeFile(path.join(meshDir, 'run-dir'), runDir, { mode: 0o600 })
  const poolsFile = path.join(meshDir, 'pools.json')
  await writeFile(poolsFile, poolsFileOf(options, bounds), { mode: 0o600 })
  const dataDir = await chooseDataDir(options.dataDir, meshDir, name)
  const logsDir = path.join(runDir, 'logs')

  const processes: ServiceProcess[] = []
  const start = (service: ServiceProcessOptions['name'], args: readonly string[]): void => {
    const started = startServiceProcess({
      ...{ name: service, instanceId: service, count: 1, runDir, keepAlive },
      args: ['--mesh-dir', meshDir, '--data-dir', path.join(dataDir, service), ...args],
      supervisor: keepAlive ? 'process' : 'here',
      onStarted: (pid) => recordMeshProcess(meshDir, pid),
    })
    processes.push(started)
  }
  start('scheduler', ['--mesh-name', name, '--listen-address', `${host}:0`])
  start('checkpoint-store', ['--listen-address', `${host}:0`])
  const provisionerArgs = ['--pools-file', poolsFile, '--poll-interval', pollInterval, '--on-stop', 'cancel']
  start('slurm-provisioner', [...provisionerArgs, '--run-dir', runDir, '--log-dir', logsDir])

  const telemetry = startTelemetry({ service: 'client', instanceId: `client-${process.pid}`, runDir })
  const end = async (): Promise<void> => {
    await Promise.all(processes.map((service) => service.stop(stopGraceMs)))
    await telemetry.shutdown()
    await removeMeshDir(meshDir)
    if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true })
    forgetInterrupts()
  }
  // An interrupt may come before the cluster is there.
  let close = end
  const forgetInterrupts = keepAlive ? (): void => undefined : cancelOnInterrupt({ close: () => close() })
  try {
    const security = await loadSecurity(meshDir, 'client')
    await orFailed(processes, addressesOf(meshDir, 'scheduler', runDir))
    await orFailed(processes, addressesOf(meshDir, 'slurm-provisioner', runDir))
    const provisionerAddresses = () => addressesOf(meshDir, 'slurm-provisioner', runDir)
    const channel = createRpcChannel(provisionerAddresses, { security, serverRole: 'provisioner', kind: 'control' })
    const provisioner = createRpcClient(ProvisionerServiceDefinition, channel)
    const trial = await provisioner.verifySubmit({ pool: poolName }, { deadline: trialTimeoutMs })
    if (!trial.accepted) {
      closeRpcChannel(channel)
      const message = `SLURM would refuse the jobs: ${trial.message} (${trial.advice})`
      throw new MeshError('FAILED_PRECONDITION', 'SUBMIT_REFUSED', message)
    }
    const connection = new MeshConnection({
      // A service that crashed is started again, and then listens elsewhere.
      schedulerAddresses: () => addressesOf(meshDir, 'scheduler', runDir),
      storeAddresses: () => addressesOf(meshDir, 'checkpointStore', runDir),
      security,
      openWithinMs: 10_000,
    })
    const scaler = createSlurmScaler(provisioner, {
      ...{ options, poolsFile, logsDir },
      end: async () => {
        closeRpcChannel(channel)
        await (keepAlive ? telemetry.shutdown() : end())
      },
    })
    const cluster = new MeshCluster(name, connection, scaler, defaultsOf(options))
    await orFailed(processes, connection.session.opened)
    close = () => cluster.close()
    return cluster
  } catch (error) {
    // The program is about to exit: it need not hear that its cluster did not start.
    if (isLeaving()) await new Promise<never>(() => undefined)
    await end()
    throw error
  }
}

/** Journals and locks need a disk of this machine; homes on clusters are none. */
async function chooseDataDir(given: string | undefined, meshDir: string, name: string): Promise<string> {
  const isShared = given === undefined && (await sharedDiskOf(meshDir)) !== undefined
  const ownDir = path.join('/var/tmp', `costate-${userInfo().uid}`)
  if (isShared) await makePrivateFolder(ownDir)
  const folder = given ?? path.join(...(isShared ? [ownDir, name] : [meshDir, 'data']))
  await mkdir(folder, { recursive: true, mode: 0o700 })
  return path.resolve(folder)
}
