import { createHash, randomBytes } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { type Journal, openLevelJournal } from '#libs/journal'
import { type Clock, exitCodes, type RunningService, systemClock, writeAddress } from '#libs/lifecycle'
import { ProvisionerServiceDefinition } from '#libs/proto'
import { createRpcServer, loadSecurity } from '#libs/rpc'
import { activeTelemetry, createLogger, injectTrace, type Logger, traceToEnv } from '#libs/telemetry'

import type { ProvisionerConfig } from './config.js'
import type { Fact } from './core/fact.js'
import { createState } from './core/state.js'
import { type Loop, startLoop } from './loop.js'
import { observeProvisioner } from './metrics.js'
import { demandToDomain, streamDemand } from './rpc/demand-stream.js'
import { type DemandWatchPorts, watchDemand } from './rpc/demand-watch.js'
import { createProvisionerService, provisionerRoles } from './rpc/provisioner-service.js'
import { createSchedulerCalls } from './rpc/scheduler-calls.js'
import { createCommandRunner, type RunCommand } from './slurm/command.js'
import { type Observer, startObserver } from './slurm/observer.js'
import { createPerformer, type Performer } from './slurm/perform.js'
import { openPoolBook } from './slurm/pool-book.js'
import { defaultPools, readPools } from './slurm/pools.js'
import { checkVersion, tryScript } from './slurm/sbatch.js'
import type { WorkerLaunch } from './slurm/script.js'
import { takeClaim } from './storage/claim.js'
import { factCodec } from './storage/fact-codec.js'

/** What tests put in the place of the real thing. */
export interface ProvisionerOverrides {
  readonly clock?: Clock
  readonly journal?: Journal<Fact>
  /** SLURM's commands. */
  readonly run?: RunCommand
  /** Takes the place of the end of the process. */
  readonly onFatal?: (error: unknown) => void
}

/** How often the jobs of a mesh that ends are told to, at most. */
const mostFarewells = 20

/** Starts a provisioner: the one place where its parts are put together. */
export async function startProvisioner(
  config: ProvisionerConfig,
  overrides: ProvisionerOverrides = {},
): Promise<RunningService & { readonly address: string }> {
  const { clock = systemClock } = overrides
  const nowMs = (): number => clock.nowMs()
  const logger = createLogger({ service: 'slurm-provisioner', instanceId: config.instanceId })
  const onFatal = overrides.onFatal ?? endProcess(logger)
  const run = overrides.run ?? createCommandRunner({ timeoutMs: config.commandTimeout, env: process.env })
  const security = await loadSecurity(config.meshDir, 'provisioner')
  const mesh = await readMeshId(config.meshDir)
  const pools = config.poolsFile === undefined ? defaultPools : await readPools(config.poolsFile)
  const launch = await prepareLaunch(config)
  const book = await openPoolBook({ mesh, launch, file: config.poolsFile, read: readPools, pools })
  const version = await checkVersion(run)
  const { instanceId, takeOver, meshDir, pollInterval } = config
  const claim = await takeClaim({ folder: path.join(meshDir, 'slurm'), instanceId, nowMs, takeOver })
  const journal = overrides.journal ?? (await openJournal(config, (warning) => logger.warn(warning)))
  const limits = pools.map((pool) => pool.limits)
  const policy = { pollIntervalMs: pollInterval, firstBackoffMs: pollInterval, unclearForMs: pollInterval }
  const state = createState(limits, mintToken(), policy)

  const place = { meshDir, schedulerAddress: config.schedulerAddress }
  const scheduler = createSchedulerCalls(place, security)
  // The loop is not there yet when its rim is made; nothing happens before it is.
  const rim: { performer?: Performer } = {}
  const loop = await startLoop({
    ...{ state, journal, clock, onFatal },
    perform: (effects) => rim.performer?.perform(effects),
  })
  const post = loop.post
  rim.performer = createPerformer({
    ...{ run, pools: book, post, logger, onFatal },
    drainWorker: scheduler.drainWorker,
    assertClaim: claim.assert,
  })
  observeProvisioner(state)
  const refreshPools = async (): Promise<void> => {
    const problem = book.problem
    const changed = await book.refresh()
    if (changed) {
      logger.info({ pools: changed.map((pool) => pool.limits.name) }, 'the pools file has changed')
      post({ kind: 'poolsDefined', pools: changed.map((pool) => pool.limits) })
    } else if (book.problem !== undefined && book.problem !== problem) {
      logger.warn(`the pools file cannot be used, the pools stay as they were: ${book.problem}`)
    }
  }

  const server = createRpcServer({
    security,
    onInternalError: (err, correlationId, method) =>
      logger.error({ err, correlationId, path: method }, 'a call failed'),
  })
  const scriptOf = (pool: string, count: number): string =>
    book.scriptOf(pool, { key: `${state.token}preview`, count, excludedNodes: [], carrier: traceToEnv(injectTrace()) })
  const service = createProvisionerService({
    ...{ state, nowMs, scriptOf, settle: loop.settle, poolsFileProblem: () => book.problem, refreshPools },
    verifySubmit: (pool) => tryScript(run, scriptOf(pool, 1)),
  })
  server.add(ProvisionerServiceDefinition, service, provisionerRoles)
  const address = await server.listen(config.listenAddress)
  if (config.healthAddress) await server.listenHealth(config.healthAddress)
  const advertised = config.advertiseAddress ?? address
  await writeAddress(meshDir, 'slurm-provisioner', { addresses: [advertised], pid: process.pid })
  server.setServing(true)
  logger.info(
    { address: advertised, slurm: version, mesh, pools: limits.map(({ name }) => name) },
    'provisioner serves',
  )

  const observer = startObserver({
    ...{ run, mesh, post, clock, intervalMs: pollInterval, onFatal },
    userId: userInfo().uid,
    listWorkers: scheduler.listWorkers,
    beforeLook: async () => {
      await claim.beat()
      await refreshPools()
    },
  })
  const stopping = new AbortController()
  const watching = watchDemand(
    reportTo(loop, logger, (signal) => streamDemand(place, security, signal)),
    stopping.signal,
  )
  return {
    address: advertised,
    ended: endOf(watching, logger),
    stop: async (graceMs) => {
      stopping.abort()
      if (config.onStop === 'cancel') await endAllocations(loop, rim.performer!, observer)
      observer.stop()
      await server.shutdown(Math.min(graceMs, 2_000))
      await watching.catch(() => undefined)
      await rim.performer?.idle()
      await loop.stop()
      scheduler.close()
      await claim.release()
      await activeTelemetry()?.shutdown(1_000)
      logger.info('provisioner stopped')
    },
  }
}

/** Cancels all there is, as far as SLURM hears it. */
async function endAllocations(loop: Loop, performer: Performer, observer: Observer): Promise<void> {
  for (let told = 0; told < mostFarewells; told++) {
    await loop.settle({ kind: 'stopRequested' })
    await performer.idle()
    const left = [...loop.state.allocations.values()].filter(({ cancel }) => cancel?.toldAtMs === undefined)
    if (left.length === 0) return
    // Ids that are not known yet, or a queue that was not seen yet.
    await observer.lookNow()
  }
}

function openJournal(config: ProvisionerConfig, onWarning: (message: string) => void): Promise<Journal<Fact>> {
  const { meshDir, dataDir, forceDataDir: force } = config
  const folder = path.resolve(dataDir ?? path.join(meshDir, 'data', 'slurm-provisioner'), 'journal')
  return openLevelJournal({ folder, codec: factCodec, onWarning, force })
}

/** What tells the jobs of one mesh from those of another of the same user; the same as long as the mesh folder lives. */
async function readMeshId(meshDir: string): Promise<string> {
  const verifyKey = await readFile(path.join(meshDir, 'verify-key'))
  return createHash('sha256').update(verifyKey).digest('hex').slice(0, 10)
}

/** Makes the keys of this process unlike those of any other, with a letter in front. */
function mintToken(): string {
  return `p${randomBytes(6).toString('hex')}n`
}

/** What is durable may not be what memory says, or nobody may act here any more: only the next start finds out. */
function endProcess(logger: Logger): (error: unknown) => void {
  return (err) => {
    const isRefused = err instanceof Error && err.name === 'RefusedError'
    logger.fatal({ err }, isRefused ? err.message : 'the provisioner cannot go on: the next start replays the journal')
    process.exit(isRefused ? exitCodes.refused : exitCodes.crashed)
  }
}

async function prepareLaunch(config: ProvisionerConfig): Promise<WorkerLaunch> {
  const meshDir = path.resolve(config.meshDir)
  const logDir = path.resolve(config.logDir ?? path.join(meshDir, 'slurm', 'logs'))
  await mkdir(logDir, { recursive: true, mode: 0o700 })
  return {
    meshDir,
    logDir,
    mainFile: fileURLToPath(new URL('../worker/main.cjs', import.meta.url)),
    ...(config.runDir === undefined ? {} : { runDir: path.resolve(config.runDir) }),
    ...(config.schedulerAddress === undefined ? {} : { schedulerAddress: config.schedulerAddress }),
    ...(config.checkpointStoreAddress === undefined ? {} : { checkpointStoreAddress: config.checkpointStoreAddress }),
  }
}

function reportTo(loop: Loop, logger: Logger, open: DemandWatchPorts['open']): DemandWatchPorts {
  return {
    open,
    onDemand: (demand) => loop.post({ kind: 'demandHeard', ...demandToDomain(demand) }),
    onLost: ({ code, message }, pauseMs) => {
      loop.post({ kind: 'demandLost' })
      logger.warn({ code, pauseMs }, `no demand from the scheduler: ${message}`)
    },
    pause: (durationMs, signal) => setTimeout(durationMs, undefined, { signal }),
    random: Math.random,
  }
}

/** Resolves when the watch of demand has ended for good, which is the end of the service; never when it was told to stop. */
function endOf(watching: ReturnType<typeof watchDemand>, logger: Logger): Promise<number> {
  return new Promise((resolve) => {
    watching.then(
      (refusal) => {
        if (refusal === undefined) return
        logger.fatal({ code: refusal.code, reason: refusal.reason }, `the scheduler refuses us: ${refusal.message}`)
        resolve(exitCodes.refused)
      },
      (error: unknown) => {
        logger.fatal({ err: error }, 'demand cannot be watched')
        resolve(exitCodes.crashed)
      },
    )
  })
}
