import {
  carrierOf,
  attribute,
  type Logger,
  recordSpan,
  stage,
  traceToEnv,
  withSpan,
  type TraceCarrier,
} from '#libs/telemetry'

import type { Effect, EffectOf } from '../core/effect.js'
import type { UntimedEvent } from '../loop.js'
import type { RunCommand } from './command.js'
import type { PoolBook } from './pool-book.js'
import { submitScript } from './sbatch.js'
import { cancelJobs } from './scancel.js'

/** What it takes to do what the core decides. */
export interface PerformPorts {
  readonly run: RunCommand
  readonly pools: PoolBook
  readonly post: (event: UntimedEvent) => void
  /** Asks the scheduler to drain a worker; false when it does not. */
  readonly drainWorker: (workerId: string, onlyIfIdle: boolean) => Promise<boolean>
  /** Throws when another provisioner has taken over: then nothing may be told to SLURM. */
  readonly assertClaim: () => Promise<void>
  readonly logger: Logger
  readonly onFatal: (error: unknown) => void
}

/** What the loop's effects come to, and when all of it is done. */
export interface Performer {
  perform(effects: readonly Effect[]): void
  /** Resolves when nothing is under way. */
  idle(): Promise<void>
}

/** Does what the core decided, and posts what came of it. */
export function createPerformer(ports: PerformPorts): Performer {
  const { run, pools, post, drainWorker, assertClaim, logger, onFatal } = ports
  const underWay = new Set<Promise<void>>()
  /** The traces of submits whose jobs may still wait in the queue. */
  const traces = new Map<string, TraceCarrier>()

  function begin(work: Promise<void>): void {
    const done: Promise<void> = work.catch(onFatal).finally(() => underWay.delete(done))
    underWay.add(done)
  }

  async function submit({ pool, key, count, excludedNodes }: EffectOf<'submitJobs'>): Promise<void> {
    await assertClaim()
    if (pools.find(pool) === undefined) {
      const refusal = {
        kind: 'other',
        message: `pool ${pool} is in the pools file no more`,
        advice: 'put it back',
        isTransient: true,
      }
      post({ kind: 'submitRefused', key, refusal })
      return
    }
    await withSpan('submit allocations', { attributes: { [attribute.poolName]: pool } }, async (span) => {
      const carrier = carrierOf(span)
      traces.set(key, carrier)
      const script = pools.scriptOf(pool, { key, count, excludedNodes, carrier: traceToEnv(carrier) })
      const result = await submitScript(run, script)
      switch (result.kind) {
        case 'accepted':
          span.setAttribute(attribute.slurmJobId, result.jobId)
          logger.info({ pool, jobId: result.jobId, allocations: count, key }, 'submitted to SLURM')
          {
            post({ kind: 'submitAccepted', key, jobId: result.jobId })
            return
          }
        case 'refused': {
          post({ kind: 'submitRefused', key, refusal: result.refusal })
          return
        }
        case 'unclear': {
          post({ kind: 'submitUnclear', key, message: result.message })
          return
        }
        default:
          return result satisfies never
      }
    })
  }

  async function cancel({ jobIds }: EffectOf<'cancelJobs'>): Promise<void> {
    await assertClaim()
    logger.info({ jobIds }, 'cancelled at SLURM')
    const complaint = await cancelJobs(run, jobIds)
    if (complaint !== undefined) logger.warn({ jobIds }, `scancel: ${complaint}; it is tried again`)
  }

  async function drain({ workerId, onlyIfIdle }: EffectOf<'drainWorker'>): Promise<void> {
    if (await drainWorker(workerId, onlyIfIdle)) post({ kind: 'workerDrains', workerId })
  }

  function recordWait(effect: EffectOf<'recordQueueWait'>): void {
    const parent = traces.get(effect.key)
    if (parent === undefined) return
    recordSpan({
      ...{ name: stage.allocationQueue, parent, startMs: effect.submittedAtMs, endMs: effect.startedAtMs },
      attributes: {
        [attribute.poolName]: effect.pool,
        [attribute.allocationId]: effect.allocation,
        [attribute.slurmJobId]: effect.jobId,
      },
    })
    // Traces of the latest submits; who waits for longer has a span less.
    if (traces.size > 1_000) traces.delete(traces.keys().next().value as string)
  }

  function one(effect: Effect): void {
    switch (effect.kind) {
      case 'submitJobs':
        return begin(submit(effect))
      case 'cancelJobs':
        return begin(cancel(effect))
      case 'drainWorker':
        return begin(drain(effect))
      case 'recordQueueWait':
        return recordWait(effect)
      case 'tell': {
        const { level, text, pool, allocation, jobId } = effect
        logger[level]({ pool, allocation, jobId }, text)
        return
      }
      default:
        effect satisfies never
    }
  }

  return {
    perform: (effects) => {
      for (const effect of effects) one(effect)
    },
    idle: async () => {
      while (underWay.size > 0) await Promise.all(underWay)
    },
  }
}
