import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import path from 'node:path'

import type { ObjectId, WorkerId } from '#libs/domain'
import { createLoopDelay, exitCodes, type RunningService, type Supervised, systemClock } from '#libs/lifecycle'
import { ExecutorKind, type LinkResponse, makeHello, SchedulerServiceDefinition } from '#libs/proto'
import { closeRpcChannel, createRpcChannel, createRpcClient, createRpcServer, loadSecurity, rpcError } from '#libs/rpc'
import { createBlobUploader } from '#libs/session'
import { acceptThreadLine, activeTelemetry, createLogger } from '#libs/telemetry'
import { createTransferPool, serveTransfers, transferDefinition } from '#libs/transfer'

import type { WorkerConfig } from './config.js'
import { createState, isOrdered } from './core/state.js'
import { createBundleCache } from './exec/bundle-cache.js'
import { createChildMemory } from './exec/child-memory.js'
import { createExecutor, type Executor } from './exec/executor.js'
import { collectGarbage } from './exec/garbage.js'
import { createPerform } from './exec/perform.js'
import { createProcessHosts } from './exec/process-host.js'
import type { SlotListeners } from './exec/slot.js'
import { createThreadHosts } from './exec/thread-host.js'
import { type Loop, startLoop } from './loop.js'
import { observeWorker } from './metrics.js'
import { createAnnouncements } from './objects/announcements.js'
import { createArchive } from './objects/archive.js'
import { createArchiveStore } from './objects/archive-store.js'
import { createInputCache } from './objects/input-cache.js'
import { createInputFetcher } from './objects/input-fetcher.js'
import { createObjectHost } from './objects/object-host.js'
import { createTaskCheckpoints } from './objects/task-checkpoints.js'
import { openWorkerMemory } from './objects/worker-memory.js'
import { createDeparture } from './rpc/departure.js'
import { findService } from './rpc/find-service.js'
import { greetingOf } from './rpc/greeting.js'
import { takeInventory } from './rpc/inventory.js'
import { leaveInOrder } from './rpc/leaving.js'
import { openSchedulerLink, type SchedulerLink } from './rpc/scheduler-link.js'
import { callErrorOf, createTaskJobs } from './rpc/task-jobs.js'
import { logTaskLine } from './rpc/task-line.js'
import { createTaskRelay } from './rpc/task-relay.js'
import { attemptToDomain, ordersToDomain } from './rpc/to-domain.js'
import { createStartSpan } from './rpc/start-span.js'
import { surroundingsOf } from './rpc/surroundings.js'
import { predecessorToWire } from './rpc/to-wire.js'

type Command = NonNullable<LinkResponse['command']>

/** The bulk plane's receive window: a worker takes scattered buffers at the speed of the network. */
const bulkWindowBytes = 8 * 2 ** 20
const leavingSoon = 'the worker is about to leave: save what is needed and end, the task goes on elsewhere'

/** What a worker is started with beside its settings. */
export interface WorkerBirth {
  /** The file that runs in its slots. */
  readonly slotProgram: URL
  /** What its supervisor told it, when it has one. */
  readonly supervised: Supervised | undefined
  /** Aborts when it need not start any more. */
  readonly signal: AbortSignal
}

/** Starts a worker: the one place where its parts are put together. */
export async function startWorker(config: WorkerConfig, birth: WorkerBirth): Promise<RunningService> {
  const { slotProgram, supervised, signal } = birth
  const workerId = (supervised?.id ?? `w-${randomUUID().slice(0, 8)}`) as WorkerId
  const logger = createLogger({ service: 'worker', instanceId: workerId })
  const security = await loadSecurity(config.meshDir, 'worker')
  const ownCacheDir = config.cacheDir ? undefined : await mkdtemp(path.join(tmpdir(), 'costate-worker-'))
  const pool = createTransferPool(security)
  const ended = createDeferred<number>()
  const find = findService(config.meshDir, signal)
  const storeAddresses = async (): Promise<readonly string[]> =>
    config.checkpointStoreAddress ?? (await find('checkpointStore'))
  // Reports before the link is dialled are lost, as on a link that is cut.
  const scheduler: { link?: SchedulerLink } = {}
  const childMemory = createChildMemory(config.memoryLimit)
  const isThreads = config.executor !== 'process'
  const state = createState(config.slots, config.resources['gpu'] ?? 0, config.maxWaiting, isThreads)
  const memory = await openWorkerMemory(config, {
    childBytes: () => childMemory.bytes,
    isBusy: () => state.lines.some((line) => line.length > 0),
    collect: () => {
      collectGarbage()
      executor.collect()
    },
    pressed: (isPaused) => {
      logger.warn({ isPaused }, isPaused ? 'memory is nearly full: no task is started' : 'there is memory again')
      // Heard before what is given back, so that it goes elsewhere.
      beat()
      loop.post({ kind: 'memoryPressed', isPaused })
    },
    lost: (objectId) => {
      logger.error({ objectId }, 'an object on the disk is damaged: it is given up')
      scheduler.link?.report({ $case: 'objectsDropped', value: { objectIds: [objectId] } })
    },
    warn: (message) => logger.warn(message),
  })
  const { store } = memory
  const bundles = createBundleCache(config.cacheDir ?? (ownCacheDir as string), pool, storeAddresses)
  const cache = createInputCache(
    config.memoryLimit > 0 ? Math.min(config.inputCache, config.memoryLimit / 8) : config.inputCache,
  )
  const fetcher = createInputFetcher(store, memory.room, cache, pool, storeAddresses)
  const uploader = createBlobUploader(security, pool, storeAddresses)
  const archives = createArchiveStore(security, pool, storeAddresses, (err, why) => logger.warn({ err }, why))
  const loopDelay = createLoopDelay()
  const relay = createTaskRelay(workerId, (report) => scheduler.link?.report(report))
  const checkpoints = createTaskCheckpoints({
    ...{ workerId, security, pool, storeAddresses },
    orderOf: (key) => state.attempts.get(key)?.order,
    onSave: (key) => loop.post({ kind: 'checkpointSaved', key }),
  })

  const listeners: SlotListeners = {
    verifyInputs: config.verifyInputs,
    bundlePath: (digest) => bundles.path(digest) ?? '',
    keepResult: (order, { outcome }) => {
      if (outcome.kind !== 'body') return outcome
      const objectId = order.taskId as string as ObjectId
      store.keep({ objectId, structure: outcome.structure, bytes: outcome.bytes })
      return { kind: 'object', objectId }
    },
    heard: (message, answer) => {
      if (message.kind === 'span') acceptThreadLine(message.line)
      else if (message.kind === 'progress') relay.progress(message)
      else if (message.kind === 'log') {
        logTaskLine(logger, state, message.line)
        relay.log(message.line)
      } else {
        const { callId } = message
        const asked =
          message.kind === 'checkpoint'
            ? checkpoints.call(message.key, message.call)
            : taskJobs.call(message.key, message.call, (jobId, news) => answer({ kind: 'told', jobId, news }))
        asked.then(
          (result) => answer({ kind: 'answer', callId, result }),
          (error: unknown) => answer({ kind: 'answer', callId, error: callErrorOf(error) }),
        )
      }
    },
  }
  const executor: Executor = createExecutor(
    config.slots,
    {
      started: (key, startedAtMs) => loop.post({ kind: 'attemptStarted', key, startedAtMs }),
      ended: (key, outcome, startedAtMs, endedAtMs) =>
        loop.post({ kind: 'attemptEnded', key, outcome, startedAtMs, endedAtMs }),
      awaits: (key, wait) => loop.post({ kind: 'attemptAwaits', key, wait }),
      woke: (key, wait) => loop.post({ kind: 'attemptWoke', key, wait }),
      passedOver: (keys) => loop.post({ kind: 'attemptsPassedOver', keys }),
      slotLost: (slot, failure) => loop.post({ kind: 'slotLost', slot, failure }),
      parkedLost: (key, failure) => loop.post({ kind: 'parkedLost', key, failure }),
      slotStuck: (slot, key, failure) => loop.post({ kind: 'slotStuck', slot, key, failure }),
    },
    listeners,
    config.executor === 'process' ? createProcessHosts(slotProgram, childMemory) : createThreadHosts(slotProgram),
  )
  const loop: Loop = startLoop({
    state,
    clock: systemClock,
    perform: createPerform({
      workerId,
      executor: () => executor,
      fetcher,
      bundles,
      store,
      post: (event) => loop.post(event),
      report: (report) => scheduler.link?.report(report),
      forget: (key) => {
        taskJobs.forget(key)
        checkpoints.forget(key)
      },
      flushLines: () => relay.flush(),
      leave: () => departure.begin(),
      giveUp: (reason) => {
        logger.error({ reason }, 'the worker ends, and is started again')
        scheduler.link?.report({ $case: 'goodbye', value: { reason } })
        // An exit would wait for the thread that is stuck.
        const end = (): void => void process.kill(process.pid, 'SIGKILL')
        if (scheduler.link) void scheduler.link.close().then(end, end)
        else end()
      },
    }),
  })
  let stopping = false
  const departure = createDeparture({
    isEmpty: () => (config.ephemeral && stopping) || store.values()[Symbol.iterator]().next().done === true,
    report: (report) => scheduler.link?.report(report) ?? false,
    archive: createArchive(store, archives),
    leave: () => {
      scheduler.link?.report({ $case: 'goodbye', value: { reason: 'drained' } })
      ended.resolve(exitCodes.ok)
    },
    failed: (err) =>
      logger.warn({ err }, 'what only this worker holds could not be handed over to the checkpoint-store'),
  })
  observeWorker(state, memory)

  const announcements = createAnnouncements(
    (value) => scheduler.link?.report({ $case: 'objectsStored', value }) ?? false,
    (objectId) => store.has(objectId as ObjectId),
  )
  const { host, fetches } = createObjectHost(memory, pool, announcements.announce, (objectId) =>
    isOrdered(state, objectId),
  )
  const server = createRpcServer({
    security,
    windowBytes: bulkWindowBytes,
    onInternalError: (err, correlationId, callPath) => logger.error({ err, correlationId, callPath }, 'a call failed'),
  })
  server.add(
    transferDefinition,
    {
      transfer: (requests) =>
        serveTransfers(requests, host, `worker ${workerId}`, (reason, message) =>
          rpcError('FAILED_PRECONDITION', reason, message),
        ),
    },
    { transfer: ['client', 'admin', 'worker'] },
  )
  const address = await server.listen(config.listenAddress)
  if (config.healthAddress) await server.listenHealth(config.healthAddress)
  const advertised = config.advertiseAddress ?? address

  // A worker that finds no scheduler ends before it dials.
  if (!config.schedulerAddress) await find('scheduler').catch(giveUp)
  const schedulerAddress = config.schedulerAddress ?? ((): Promise<readonly string[]> => find('scheduler'))
  const channel = createRpcChannel(schedulerAddress, { security, serverRole: 'scheduler', kind: 'control' })
  const client = createRpcClient(SchedulerServiceDefinition, channel)
  const taskJobs = createTaskJobs({
    workerId,
    scheduler: client,
    blobs: uploader,
    fetch: (objectId, result) => fetcher.fetchResult(objectId, result),
    orderOf: (key) => state.attempts.get(key)?.order,
  })
  let heartbeat: NodeJS.Timeout | undefined
  const startedAtMs = Date.now() - process.uptime() * 1000
  const sayStarted = createStartSpan({ workerId, env: process.env, startedAtMs, jobId: config.slurmJobId })
  scheduler.link = openSchedulerLink(
    client,
    {
      greeting: () =>
        greetingOf(
          {
            hello: makeHello(),
            workerId,
            host: hostname(),
            pid: process.pid,
            slots: config.slots,
            addresses: [advertised],
            memoryLimitBytes: BigInt(config.memoryLimit),
            executor: config.executor === 'process' ? ExecutorKind.PROCESS : ExecutorKind.THREAD,
            resources: new Map(Object.entries(config.resources)),
            predecessor: supervised?.predecessor && predecessorToWire(supervised.predecessor),
            ...surroundingsOf(config),
          },
          takeInventory(state, store.values(), announcements),
        ),
      opened: (heartbeatIntervalMs) => {
        logger.info('linked')
        sayStarted(Date.now())
        server.setServing(true)
        heartbeat = setInterval(beat, heartbeatIntervalMs)
        beat()
        announcements.catchUp()
        loop.post({ kind: 'linkOpened' })
        departure.relinked()
      },
      closed: () => {
        clearInterval(heartbeat)
        loop.post({ kind: 'linkClosed' })
      },
      broke: (err) => logger.warn({ err }, 'the link to the scheduler broke: it is dialled again'),
      commanded: (command) => obey(command),
      refused: (error) => {
        process.stderr.write(`costate worker ${workerId}: ${error.message}\n`)
        ended.resolve(exitCodes.refused)
      },
      abandoned: (error) => {
        logger.warn({ err: error }, 'no scheduler could be reached: the worker ends')
        ended.resolve(exitCodes.ok)
      },
    },
    { abandonAfterMs: config.deathTimeout, jitter: Math.random },
  )

  async function giveUp(error: unknown): Promise<never> {
    await memory.close()
    if (ownCacheDir) await rm(ownCacheDir, { recursive: true, force: true })
    throw error
  }

  function beat(): void {
    scheduler.link?.report({
      $case: 'heartbeat',
      value: {
        rssBytes: BigInt(memory.rssBytes()),
        peakRssBytes: BigInt(memory.peakRssBytes()),
        ...{ heldBytes: BigInt(store.heldBytes), spilledBytes: BigInt(store.spilledBytes) },
        ...{ loopLagMs: loopDelay.takeMaxMs(), fetchBytesPerSecond: BigInt(fetcher.bytesPerSecond()) },
        paused: memory.watch.isPaused,
      },
    })
  }

  function obey(command: Command): void {
    switch (command.$case) {
      case 'runTasks': {
        const orders = ordersToDomain(command.value)
        for (const { taskId } of orders) fetches.dropCopy(taskId as string as ObjectId)
        return loop.post({ kind: 'tasksOrdered', orders })
      }
      case 'cancelTasks': {
        const { attempts, reason } = command.value
        return loop.post({ kind: 'cancelOrdered', refs: attempts.map(attemptToDomain), reason })
      }
      case 'acknowledgeEnds':
        return loop.post({ kind: 'endsAcknowledged', refs: command.value.attempts.map(attemptToDomain) })
      case 'releaseObjects':
        for (const objectId of command.value.objectIds) fetches.release(objectId as ObjectId)
        return
      case 'acknowledgeStored':
        announcements.acknowledge(command.value.requestId)
        return
      case 'recallTasks':
        return loop.post({ kind: 'recallOrdered', refs: command.value.attempts.map(attemptToDomain) })
      case 'resumeTasks': {
        const refs = command.value.attempts.map((ref) => ({ ...attemptToDomain(ref), wait: ref.wait ?? 0 }))
        return loop.post({ kind: 'resumeOrdered', refs })
      }
      case 'drain':
        if (config.drainTimeout > 0) {
          const giveNotice = (): void => loop.post({ kind: 'noticeGiven', reason: leavingSoon })
          setTimeout(giveNotice, config.drainTimeout).unref()
        }
        return loop.post({ kind: 'drainOrdered', reason: command.value.reason })
      case 'handOver':
        return void departure.handOver(command.value.objectIds)
      case 'releaseArchives':
        return archives.release(command.value.objects)
      case 'welcome':
        return
      default:
        return command satisfies never
    }
  }

  let hasten: (graceMs: number) => void = () => undefined
  return {
    ended: ended.promise,
    hasten: (graceMs) => hasten(graceMs),
    stop: async (graceMs) => {
      stopping = true
      await leaveInOrder({
        graceMs,
        drained: ended.promise,
        drain: () => {
          // Nothing is given back yet; that it takes no more is known at once.
          scheduler.link?.report({ $case: 'tasksReturned', value: { attempts: [], recalled: false } })
          loop.post({ kind: 'drainOrdered', reason: 'told to stop' })
        },
        hastened: (shorten) => (hasten = shorten),
        giveNotice: () => loop.post({ kind: 'noticeGiven', reason: leavingSoon }),
        noticeMs: config.leaveNotice,
        unlinkedSinceMs: () => scheduler.link?.unlinkedSinceMs,
        stopTasks: () => {
          childMemory.stop()
          return executor.stop()
        },
        sayGoodbye: async () => {
          relay.stop()
          clearInterval(heartbeat)
          loopDelay.close()
          scheduler.link?.report({ $case: 'goodbye', value: { reason: 'told to stop' } })
          await scheduler.link?.close()
        },
      })
      taskJobs.close()
      uploader.close()
      archives.close()
      checkpoints.close()
      pool.close()
      await server.shutdown(200)
      closeRpcChannel(channel)
      await memory.close()
      if (ownCacheDir) await rm(ownCacheDir, { recursive: true, force: true })
      await activeTelemetry()?.shutdown(1_000)
    },
  }
}

function createDeferred<T>(): { readonly promise: Promise<T>; resolve(value: T): void } {
  let resolve!: (value: T) => void
  const promise = new Promise<T>((settle) => (resolve = settle))
  return { promise, resolve }
}
