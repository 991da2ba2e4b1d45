import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { type Clock, exitCodes, type RunningService, systemClock, writeAddress } from '#libs/lifecycle'
import { ProvisionerServiceDefinition } from '#libs/proto'
import { createRpcServer, loadSecurity } from '#libs/rpc'
import { activeTelemetry, createLogger, injectTrace, type Logger, traceToEnv } from '#libs/telemetry'

import type { ProvisionerConfig } from './config.js'
import { createState } from './core/state.js'
import { type Loop, startLoop } from './loop.js'
import { observeProvisioner } from './metrics.js'
import { streamDemand } from './rpc/demand-stream.js'
import { type DemandWatchPorts, watchDemand } from './rpc/demand-watch.js'
import { createProvisionerService, provisionerRoles } from './rpc/provisioner-service.js'
import { defaultPools, readPools } from './slurm/pools.js'
import { createScriptPrinter } from './slurm/print-script.js'
import { renderScript, type WorkerLaunch } from './slurm/script.js'

/** What tests put in the place of the real thing. */
export interface ProvisionerOverrides {
  readonly clock?: Clock
  /** Takes each script; standard output unless given. */
  readonly write?: (script: string) => void
}

/** Starts a provisioner: the one place where its parts are put together. */
export async function startProvisioner(
  config: ProvisionerConfig,
  overrides: ProvisionerOverrides = {},
): Promise<RunningService & { readonly address: string }> {
  const { clock = systemClock, write = (script: string) => void process.stdout.write(script) } = overrides
  const logger = createLogger({ service: 'slurm-provisioner', instanceId: config.instanceId })
  const pools = config.poolsFile === undefined ? defaultPools : await readPools(config.poolsFile)
  const launch = await prepareLaunch(config)
  // A pool whose script cannot be written is wrong from the start, not when its first worker is wanted.
  for (const pool of pools) renderScript(pool, 1, launch, {})
  const security = await loadSecurity(config.meshDir, 'provisioner')
  const state = createState(pools.map(({ limits }) => limits))
  const perform = createScriptPrinter({ pools, launch, write, logger })
  const onFatal = (error: unknown): never => {
    logger.fatal({ err: error }, 'the loop failed: the process ends')
    process.exit(exitCodes.crashed)
  }
  const loop = startLoop({ state, clock, perform, onFatal })
  observeProvisioner(state)
  const server = createRpcServer({
    security,
    onInternalError: (err, correlationId, method) =>
      logger.error({ err, correlationId, path: method }, 'a call failed'),
  })
  const scriptOf = (name: string, count: number): string =>
    renderScript(
      pools.find(({ limits }) => limits.name === name)!,
      count,
      launch,
      traceToEnv(injectTrace()),
    )
  server.add(ProvisionerServiceDefinition, createProvisionerService(state, scriptOf), provisionerRoles)
  const address = await server.listen(config.listenAddress)
  if (config.healthAddress) await server.listenHealth(config.healthAddress)
  const advertised = config.advertiseAddress ?? address
  await writeAddress(config.meshDir, 'slurm-provisioner', { addresses: [advertised], pid: process.pid })
  server.setServing(true)
  logger.info({ address: advertised, pools: pools.map(({ limits }) => limits.name) }, 'provisioner serves')

  const stopping = new AbortController()
  const place = { meshDir: config.meshDir, schedulerAddress: config.schedulerAddress }
  const ports = reportTo(loop, logger, (signal) => streamDemand(place, security, signal))
  const watching = watchDemand(ports, stopping.signal)
  return {
    address: advertised,
    ended: endOf(watching, logger),
    stop: async (graceMs) => {
      stopping.abort()
      await server.shutdown(Math.min(graceMs, 2_000))
      await watching.catch(() => undefined)
      loop.stop()
      await activeTelemetry()?.shutdown(1_000)
      logger.info('provisioner stopped')
    },
  }
}

async function prepareLaunch(config: ProvisionerConfig): Promise<WorkerLaunch> {
  const meshDir = path.resolve(config.meshDir)
  const logDir = path.resolve(config.logDir ?? path.join(meshDir, 'slurm'))
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
    onDemand: ({ wantedSlots, presentWorkers }) => loop.post({ kind: 'demandHeard', wantedSlots, presentWorkers }),
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
