import path from 'node:path'

import { createMemoryJournal, type Journal, openLevelJournal } from '#libs/journal'
import { type Clock, type RunningService, systemClock, writeAddress } from '#libs/lifecycle'
import { Durability, SchedulerServiceDefinition } from '#libs/proto'
import { createRpcServer, loadSecurity } from '#libs/rpc'
import { activeTelemetry, createLogger } from '#libs/telemetry'

import type { SchedulerConfig } from './config.js'
import type { Fact } from './core/fact.js'
import { defaultPolicy, type Policy } from './core/policy.js'
import { createState } from './core/state.js'
import { createJobWaiters } from './effects/job-waiters.js'
import { createPeers } from './effects/peers.js'
import { createPerform } from './effects/perform.js'
import { tellDemand } from './effects/tell-demand.js'
import { createTaskTracer } from './effects/task-tracer.js'
import { startLoop } from './loop.js'
import { observeScheduler } from './metrics.js'
import { createSchedulerService, schedulerRoles } from './rpc/scheduler-service.js'
import { journaledFactCodec } from './storage/fact-codec.js'
import { groupObjects } from './storage/object-groups.js'

/**
 * What a link or session may have under way. The reports of 10,000 small objects are 380 KB for each of two workers: with the usual 64 KiB
 * most of them waited there while the journal was flushed for the first ones.
 */
const receiveWindowBytes = 2 ** 20

/** What tests put in the place of the real thing. */
export interface SchedulerOverrides {
  readonly clock?: Clock
  readonly journal?: Journal<Fact>
}

/** Starts a scheduler: the one place where its parts are put together. */
export async function startScheduler(
  config: SchedulerConfig,
  overrides: SchedulerOverrides = {},
): Promise<RunningService & { readonly address: string }> {
  const { clock = systemClock } = overrides
  const logger = createLogger({ service: 'scheduler', instanceId: config.instanceId })
  const security = await loadSecurity(config.meshDir, 'scheduler')
  const journal = overrides.journal ?? (await openJournal(config, (message) => logger.warn(message)))
  const state = createState(policyOf(config))
  const peers = createPeers(clock)
  const waiters = createJobWaiters()
  const loop = await startLoop({
    state,
    journal,
    clock,
    perform: createPerform(state, peers, waiters, createTaskTracer(clock)),
    onChange: () => tellDemand(state, peers.demandWatchers),
    onFatal: (error) => {
      logger.fatal({ err: error }, 'the loop failed: the process ends, the next start replays the journal')
      process.exit(1)
    },
  })
  observeScheduler(state)
  const server = createRpcServer({
    security,
    windowBytes: receiveWindowBytes,
    onInternalError: (err, correlationId, path) => logger.error({ err, correlationId, path }, 'a call failed'),
  })
  const durability = journal.durability === 'fsynced' ? Durability.FSYNCED : Durability.MEMORY
  const service = createSchedulerService(loop, peers, waiters, { name: config.meshName, durability })
  server.add(SchedulerServiceDefinition, service, schedulerRoles)
  const address = await server.listen(config.listenAddress)
  if (config.healthAddress) await server.listenHealth(config.healthAddress)
  const advertised = config.advertiseAddress ?? address
  await writeAddress(config.meshDir, 'scheduler', { addresses: [advertised], pid: process.pid })
  server.setServing(true)
  logger.info({ address: advertised, epoch: state.epoch }, 'scheduler serves')
  return {
    address: advertised,
    stop: async (graceMs) => {
      await server.shutdown(Math.min(graceMs, 2_000))
      await loop.stop()
      await activeTelemetry()?.shutdown(1_000)
      logger.info('scheduler stopped')
    },
  }
}

async function openJournal(config: SchedulerConfig, onWarning: (message: string) => void): Promise<Journal<Fact>> {
  const { journal, meshDir, dataDir, forceDataDir: force } = config
  if (journal === 'memory') return createMemoryJournal<Fact>()
  const folder = path.resolve(dataDir ?? path.join(meshDir, 'data', 'scheduler'), 'journal')
  return groupObjects(await openLevelJournal({ folder, codec: journaledFactCodec, onWarning, force }))
}

function policyOf(config: SchedulerConfig): Policy {
  const { orphanGrace, resultTtl, historyTtl, maxSettledJobs, maxSettledBytes, maxJobRecords } = config
  const { maxUnsettledTasks, maxUnsettledBytes, maxJobDepth, unschedulableAfter, durableResults } = config
  return {
    ...defaultPolicy,
    orphanGraceMs: orphanGrace,
    resultTtlMs: resultTtl,
    historyTtlMs: historyTtl,
    maxSettledJobs,
    maxSettledBytes,
    maxJobRecords,
    maxUnsettledTasks,
    maxUnsettledBytes,
    maxJobDepth,
    unschedulableMs: unschedulableAfter,
    durableResultBytes: typeof durableResults === 'number' ? durableResults : Infinity,
    durableDetachedBytes: durableResults === 'none' ? Infinity : 0,
  }
}
