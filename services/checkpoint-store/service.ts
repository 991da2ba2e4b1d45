import { mkdir } from 'node:fs/promises'
import path from 'node:path'

import { type Clock, exitCodes, type RunningService, systemClock, writeAddress } from '#libs/lifecycle'
import { Durability } from '#libs/proto'
import { createRpcServer, loadSecurity } from '#libs/rpc'
import { activeTelemetry, createLogger, type Logger } from '#libs/telemetry'
import { checkpointServiceDefinition } from '#libs/transfer'

import type { CheckpointStoreConfig } from './config.js'
import { createState, defaultPolicy, type Policy, type State } from './core/state.js'
import { type Loop, startLoop } from './loop.js'
import { observeStore } from './metrics.js'
import { checkpointRoles, createCheckpointService } from './rpc/checkpoint-service.js'
import { accept } from './rpc/refusal.js'
import { createBufferPool } from './storage/buffer-pool.js'
import { type Catalogue, openLevelCatalogue } from './storage/catalogue.js'
import { type ChunkStore, ReadMemoryPool } from './storage/chunk-store.js'
import { type Collector, createCollector } from './storage/collector.js'
import { createDigestLocks, type DigestLocks } from './storage/digest-locks.js'
import { type Pass, readFailpoint } from './storage/failpoint.js'
import { openFileChunkStore } from './storage/file-chunk-store.js'

/** What tests put in the place of the real thing. */
export interface CheckpointStoreOverrides {
  readonly clock?: Clock
  readonly chunks?: ChunkStore
  readonly catalogue?: Catalogue
  readonly policy?: Partial<Policy>
  readonly logger?: Logger
  /** Takes the place of the end of the process. */
  readonly onFatal?: (error: unknown) => void
}

/** The receive window: saves are pushed, and through 64 KiB they would crawl over any real network. */
const bulkWindowBytes = 8 * 2 ** 20
/** How often it is looked for what has become too old. */
const sweepMs = 60_000

/** Starts a checkpoint-store: the one place where its parts are put together. */
export async function startCheckpointStore(
  config: CheckpointStoreConfig,
  overrides: CheckpointStoreOverrides = {},
): Promise<RunningService & { readonly address: string }> {
  const { clock = systemClock } = overrides
  const logger = overrides.logger ?? createLogger({ service: 'checkpoint-store', instanceId: config.instanceId })
  const security = await loadSecurity(config.meshDir, 'checkpointStore')
  const dataDir = path.resolve(config.dataDir ?? path.join(config.meshDir, 'checkpoints'))
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const pass = readFailpoint(config.failpoint)
  // The catalogue first: its lock keeps a second store away from the chunks.
  const catalogue = overrides.catalogue ?? (await openLevelCatalogue(dataDir, (warning) => logger.warn(warning)))
  const chunks =
    overrides.chunks ??
    (await openFileChunkStore(path.join(dataDir, 'chunks'), { pass, compresses: config.compress === 'auto' }))
  const state = createState(policyOf(config, overrides.policy))
  const locks = createDigestLocks()
  const onFatal = overrides.onFatal ?? endProcess(logger)
  const { loop, collector } = await startCore({ state, catalogue, clock, chunks, locks, logger, pass, onFatal })

  const server = createRpcServer({
    security,
    windowBytes: bulkWindowBytes,
    onInternalError: (err, correlationId, method) =>
      logger.error({ err, correlationId, path: method }, 'a call failed'),
  })
  const durability = catalogue.durability === 'fsynced' ? Durability.FSYNCED : Durability.MEMORY
  const meter = observeStore(state)
  const memory = { buffers: createBufferPool(), readMemory: new ReadMemoryPool() }
  const ports = { loop, chunks, locks, clock, meter, logger, durability, pass, onFatal, ...memory }
  const service = createCheckpointService(ports)
  const sweeping = setInterval(() => loop.post({ kind: 'sweepDue' }), sweepMs)
  server.add(checkpointServiceDefinition, service, checkpointRoles)
  const address = await server.listen(config.listenAddress)
  if (config.healthAddress) await server.listenHealth(config.healthAddress)
  const advertised = config.advertiseAddress ?? address
  await writeAddress(config.meshDir, 'checkpointStore', { addresses: [advertised], pid: process.pid })
  server.setServing(true)
  logger.info({ address: advertised, dataDir, checkpoints: state.checkpoints.size }, 'checkpoint-store serves')
  return {
    address: advertised,
    stop: async (graceMs) => {
      clearInterval(sweeping)
      await server.shutdown(Math.min(graceMs, 2_000))
      await collector.idle()
      await loop.stop()
      // What the last batch made garbage: the loop refuses to be asked, so the next start deletes it.
      await collector.idle()
      await chunks.close()
      await activeTelemetry()?.shutdown(1_000)
      logger.info('checkpoint-store stopped')
    },
  }
}

function policyOf(config: CheckpointStoreConfig, changes?: Partial<Policy>): Policy {
  const { keepVersions, keepFor: keepForMs, keepLabels, keepJobs: keepJobsForMs, maxDiskBytes = Infinity } = config
  const { keepResults: keepResultsForMs } = config
  return {
    ...defaultPolicy,
    keepVersions,
    keepForMs,
    keepLabels,
    keepJobsForMs,
    keepResultsForMs,
    maxDiskBytes,
    ...changes,
  }
}

/** What is on disk may not be what memory says: only the next start finds out. */
function endProcess(logger: Logger): (error: unknown) => void {
  return (err) => {
    logger.fatal({ err }, 'the store cannot go on: the process ends, the next start replays the catalogue')
    process.exit(exitCodes.crashed)
  }
}

interface CoreParts {
  readonly state: State
  readonly catalogue: Catalogue
  readonly clock: Clock
  readonly chunks: ChunkStore
  readonly locks: DigestLocks
  readonly logger: Logger
  readonly pass: Pass
  readonly onFatal: (error: unknown) => void
}

/** The loop with its one outside effect, told what the disk holds. */
async function startCore({ logger, ...parts }: CoreParts): Promise<{ loop: Loop; collector: Collector }> {
  const collector: Collector = createCollector({
    ...parts,
    mayCollect: async (digest) => accept(await loop.ask({ kind: 'collectionDue', digest })),
    onFailure: (digest, err) =>
      logger.warn({ digest, err }, 'a chunk could not be deleted; the next start tries again'),
  })
  const loop: Loop = await startLoop({
    ...parts,
    perform: (effects) => collector.perform(effects),
  })
  const found = new Map<string, number>()
  for await (const { digest, byteLength } of parts.chunks.list()) found.set(digest, byteLength)
  loop.post({ kind: 'storageScanned', chunks: found })
  parts.pass('after-inventory')
  return { loop, collector }
}
