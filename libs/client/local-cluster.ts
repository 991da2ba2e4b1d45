import { randomUUID } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import path from 'node:path'

import { parseBytes, parseOffer, type ResourceAmounts } from '#libs/domain'
import { markOwned, meshDirOf, recordMeshProcess, removeLeftMeshes, removeMeshDir } from '#libs/lifecycle'
import { createMeshSecurity, loadSecurity } from '#libs/rpc'
import { durabilityToWire } from '#libs/submission'
import type { DurabilityLevel } from '#libs/task'
import { startTelemetry } from '#libs/telemetry'

import { defaultsOf } from './cluster-defaults.js'
import type { Cluster } from './cluster.js'
import { cancelOnInterrupt, isLeaving } from './interrupt.js'
import { createLocalScaler } from './local-scaler.js'
import { MeshCluster } from './mesh-cluster.js'
import { MeshConnection } from './mesh-connection.js'
import { addressesOf, orFailed, refuseRunningMesh, startTimeoutMs } from './mesh-start.js'
import { createRunDir } from './run-folder.js'
import { type ServiceProcess, type ServiceProcessOptions, startServiceProcess } from './service-process.js'

/** A mesh on this machine. */
export interface LocalClusterOptions {
  /** How many worker processes; one per core unless given. */
  readonly workers?: number
  /** How many tasks a worker runs at once, each in a slot of its own; 1 unless given. */
  readonly threadsPerWorker?: number
  /**
   * Where the tasks of a slot run: `'thread'`, a thread of the worker, unless given; or `'process'`, a process of its own,
   * for native code that may crash or hang and for code that is not trusted. There is no shared memory between processes.
   */
  readonly executor?: 'thread' | 'process'
  /** Resident memory of one worker, in bytes or as `'4GB'`, at least 200 MB; no limit unless given. */
  readonly memoryLimit?: number | string
  /**
   * Where objects go that find no room in a worker's memory, which needs a limit for that: a folder on a disk of this machine.
   * The system's temporary folder unless given; where that is in memory itself, give another.
   */
  readonly spillDir?: string
  /**
   * Where the checkpoint-store keeps what it has: a folder on a disk of this machine, which stays when the cluster ends, so that the
   * next one finds what was saved and memoised. One cluster at a time may have it. Unless given, it ends with the mesh.
   */
  readonly checkpointDir?: string
  /** What each worker offers beside slots and memory, such as `{ gpu: 2, licence: 1 }`; tasks ask for it by name. */
  readonly resources?: ResourceAmounts
  /**
   * A task that changes an input that it shares with others (`shared()`) fails, with its name. Costs a copy and two digests of
   * each such input: for tests.
   */
  readonly verifyInputs?: boolean
  /**
   * Results of at least this size, in bytes or as `'1MB'`, are brought to the checkpoint-store by themselves when no task waits for
   * them: they outlive their worker, however that ends. `'detached'`, as unless given: all large results of detached and pinned
   * jobs, no others; one that is lost is computed again. `'none'`: not those either.
   */
  readonly durableResults?: number | string
  /** Under which `connect(name)` finds the mesh; made up unless given. */
  readonly name?: string
  /** The mesh outlives this program; `connect(name)` finds it, `costate down <name>` ends it. */
  readonly keepAlive?: boolean
  /** Where traces and logs go; `.costate/runs/<time>-<name>` in the working folder unless given. */
  readonly runDir?: string
  /** How safe jobs must be before their submits are answered, unless `with` says otherwise: see `SubmitOptions`. */
  readonly durability?: DurabilityLevel
}

/** Many workers that start at once share the cores: each takes a few tenths of a second of one. */
const startPerWorkerMs = 1_000
const stopGraceMs = 5_000
/** Below it workers would be ended and started again for ever. */
const leastMemoryLimitBytes = 200e6

/**
 * Starts a mesh of real services on this machine, scheduler, checkpoint-store and workers, on free ports of the loopback
 * interface, reachable by this user only. It ends with this program, however the program ends.
 *
 * @throws RangeError for options that make no sense; Error with the service's last log lines when one does not start.
 */
export async function createLocalCluster(options: LocalClusterOptions = {}): Promise<Cluster> {
  const { workers = availableParallelism(), threadsPerWorker = 1, keepAlive = false, executor = 'thread' } = options
  checkCount(workers, 'workers', 256)
  checkCount(threadsPerWorker, 'threadsPerWorker', 256)
  checkExecutor(executor)
  durabilityToWire(options)
  const memoryLimit = memoryLimitOf(options)
  const durable = durableArguments(options)
  const resources = Object.entries(parseOffer(options.resources ?? {}, 'resources'))
  const name = options.name ?? `${keepAlive ? 'mesh' : 'local'}-${randomUUID().slice(0, 8)}`
  const meshDir = meshDirOf(name)
  const runDir = await createRunDir(options.runDir, name)
  await refuseRunningMesh(meshDir, name)
  await removeLeftMeshes()
  await createMeshSecurity(meshDir)
  if (!keepAlive) await markOwned(meshDir)
  await writeFile(path.join(meshDir, 'run-dir'), runDir, { mode: 0o600 })
  await mkdir(path.join(meshDir, 'data'), { recursive: true, mode: 0o700 })

  const processes: ServiceProcess[] = []
  const start = (
    service: ServiceProcessOptions['name'],
    instanceId: string,
    args: readonly string[],
    count = 1,
  ): ServiceProcess => {
    const isLimited = service === 'worker' && memoryLimit > 0
    const started = startServiceProcess({
      ...{ name: service, instanceId, args: ['--mesh-dir', meshDir, ...args], count, runDir, keepAlive },
      supervisor: keepAlive || isLimited ? 'process' : 'here',
      onStarted: (pid) => recordMeshProcess(meshDir, pid),
    })
    processes.push(started)
    return started
  }
  let batches = 0
  let capacity = 0
  const startWorkers = (count: number): void => {
    const args = [
      ...['--count', String(count), '--slots', String(threadsPerWorker), '--memory-limit', String(memoryLimit)],
      ...['--executor', executor, '--cache-dir', path.join(meshDir, 'data', 'bundles')],
      ...(keepAlive ? [] : ['--ephemeral']),
      ...(options.spillDir === undefined ? [] : ['--spill-dir', options.spillDir]),
      ...(options.verifyInputs ? ['--verify-inputs'] : []),
      ...(resources.length > 0 ? ['--resources', resources.map((pair) => pair.join('=')).join(',')] : []),
    ]
    const batch = start('worker', `worker-${batches++}`, args, count)
    capacity += count
    void batch.exited.then(() => (capacity -= count))
  }
  start('scheduler', 'scheduler', ['--mesh-name', name, ...durable])
  const checkpointDir = path.resolve(options.checkpointDir ?? path.join(meshDir, 'data', 'store'))
  start('checkpoint-store', 'checkpoint-store', ['--data-dir', checkpointDir])
  startWorkers(workers)

  // What this program does while its services start costs no time.
  const telemetry = startTelemetry({ service: 'client', instanceId: `client-${process.pid}`, runDir })
  const cleanUp = async (): Promise<void> => {
    await telemetry.shutdown()
    await removeMeshDir(meshDir)
    forgetInterrupts()
  }
  const end = async (graceMs = stopGraceMs): Promise<void> => {
    await Promise.all(processes.map((service) => service.stop(graceMs)))
    await cleanUp()
  }
  // An interrupt may come before the cluster is there.
  let close = (): Promise<void> => end(2_000)
  const forgetInterrupts = keepAlive ? (): void => undefined : cancelOnInterrupt({ close: () => close() })
  let connection: MeshConnection | undefined
  try {
    const security = await loadSecurity(meshDir, 'client')
    await orFailed(processes, addressesOf(meshDir, 'scheduler', runDir))
    // Another cluster may have the folder.
    if (options.checkpointDir !== undefined) await orFailed(processes, addressesOf(meshDir, 'checkpointStore', runDir))
    connection = new MeshConnection({
      // A scheduler that crashed is started again, and then listens elsewhere.
      schedulerAddresses: () => addressesOf(meshDir, 'scheduler', runDir),
      storeAddresses: () => addressesOf(meshDir, 'checkpointStore', runDir),
      security,
      openWithinMs: 10_000,
    })
    const scaler = createLocalScaler(connection.scheduler, {
      initialCount: workers,
      slotsPerWorker: threadsPerWorker,
      start: startWorkers,
      capacity: () => capacity,
      isRunning,
      describeTroubles: () => describeTroubles(processes, runDir),
      end: keepAlive ? () => telemetry.shutdown() : () => end(),
    })
    const cluster = new MeshCluster(name, connection, scaler, defaultsOf(options))
    await orFailed(processes, cluster.waitForWorkers(workers, { timeout: startTimeoutMs + workers * startPerWorkerMs }))
    close = () => cluster.close()
    return cluster
  } catch (error) {
    // The program is about to exit: it need not hear that its cluster did not start.
    if (isLeaving()) await new Promise<never>(() => undefined)
    await close()
    throw error
  }
}

/** Where the logs are, and the end of those of workers that ended, or else of those that were started last. */
async function describeTroubles(processes: readonly ServiceProcess[], runDir: string): Promise<string> {
  const workers = processes.filter(({ name }) => name === 'worker')
  const ended = workers.filter((service) => !service.isRunning())
  const tails = await Promise.all(
    (ended.length > 0 ? ended : workers).slice(-3).map(async (service) => {
      const tail = await service.logTail()
      return tail && `\n${service.instanceId}:\n${tail}`
    }),
  )
  return `see the logs in ${path.join(runDir, 'logs')}${tails.join('')}`
}

function memoryLimitOf({ memoryLimit = 0 }: LocalClusterOptions): number {
  const bytes = parseBytes(memoryLimit, 'memoryLimit')
  if (bytes === 0 || bytes >= leastMemoryLimitBytes) return bytes
  const least = `${leastMemoryLimitBytes / 1e6} MB`
  const message = `memoryLimit is ${Math.round(bytes / 1e5) / 10} MB: an idle worker alone needs about 100 MB; give at least ${least}`
  throw new RangeError(message)
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

function checkExecutor(executor: string): void {
  if (executor === 'thread' || executor === 'process') return
  throw new RangeError(`executor is '${executor}': give 'thread' or 'process'`)
}

function checkCount(count: number, what: string, most: number): void {
  if (Number.isInteger(count) && count >= 1 && count <= most) return
  throw new RangeError(`${what} is ${count}: give a whole number from 1 to ${most}`)
}

function durableArguments({ durableResults }: LocalClusterOptions): string[] {
  if (durableResults === undefined) return []
  const isWord = durableResults === 'detached' || durableResults === 'none'
  return ['--durable-results', isWord ? durableResults : `${parseBytes(durableResults, 'durableResults')}`]
}
