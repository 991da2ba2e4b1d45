import { readFile } from 'node:fs/promises'

import type * as z from 'zod'

import { ConfigError } from '#libs/config'

import type { PoolLimits } from '../core/pool.js'
import { nearestWord } from './nearest.js'
import { poolKeys, poolSchema, poolsFileSchema } from './pool-schema.js'

/** A pool as its job scripts need it. */
export interface PoolSpec {
  readonly limits: PoolLimits
  readonly partition?: string | undefined
  readonly account?: string | undefined
  readonly qos?: string | undefined
  readonly constraint?: string | undefined
  readonly gres?: string | undefined
  readonly nodes: number
  readonly workersPerNode: number
  readonly cpus: number
  /** Of a node's part of the job. */
  readonly memoryBytes: number | undefined
  /** How long before the time limit the worker is told to finish. */
  readonly signalLeadMs: number
  readonly exclusive: boolean
  /** What each worker offers beside slots and memory. */
  readonly resources: Readonly<Record<string, number>>
  readonly executor: 'thread' | 'process'
  readonly spillDir?: string | undefined
  /** Further options for sbatch, as they stand behind `#SBATCH`. */
  readonly directives: readonly string[]
  /** Environment modules that the workers need, such as `nodejs/20`. */
  readonly modules: readonly string[]
  /** Shell lines before the workers start, and after they have ended. */
  readonly prologue: readonly string[]
  readonly epilogue: readonly string[]
  /** The Node.js program on the nodes. */
  readonly node: string
  /** Where the worker listens for transfers. */
  readonly listenAddress: string
}

/** The pool of a provisioner that was given no file: jobs as the cluster's defaults make them. */
export const defaultPools: readonly PoolSpec[] = [toSpec(poolSchema.parse({ name: 'default' }))]

/**
 * Reads a file of pools, YAML or JSON: `{"pools": [{"name": "cpu", "partition": "compute", "cpus": 16, "memory": "32G"}]}`.
 *
 * @throws ConfigError that names the file and everything in it that is wrong.
 */
export async function readPools(file: string): Promise<readonly PoolSpec[]> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    throw new ConfigError(`--pools-file: ${(error as Error).message}`, { cause: error })
  }
  return parsePools(text, file)
}

/** The pools that the text of a file describes; `file` is its name for messages. */
export async function parsePools(text: string, file: string): Promise<readonly PoolSpec[]> {
  const parsed = poolsFileSchema.safeParse(await readContent(text, file))
  if (parsed.success) return parsed.data.pools.map(toSpec)
  throw new ConfigError(parsed.error.issues.flatMap((issue) => complaintsOf(issue, file)).join('\n'))
}

async function readContent(text: string, file: string): Promise<unknown> {
  if (/^\s*[{[]/.test(text)) {
    try {
      return JSON.parse(text)
    } catch (error) {
      if (!/\.ya?ml$/.test(file))
        throw new ConfigError(`${file} is no JSON: ${(error as Error).message}`, { cause: error })
    }
  }
  const { parse } = await import('yaml')
  try {
    return parse(text)
  } catch (error) {
    throw new ConfigError(`${file} is neither JSON nor YAML: ${(error as Error).message}`, { cause: error })
  }
}

function complaintsOf(issue: z.core.$ZodIssue, file: string): string[] {
  const place = issue.path.join('.') || 'file'
  if (issue.code !== 'unrecognized_keys') return [`${file}: ${place}: ${issue.message}`]
  const known = issue.path.length === 0 ? ['pools'] : poolKeys
  return issue.keys.map((key) => {
    const nearest = nearestWord(key, known)
    const advice = nearest === undefined ? `the settings are ${known.join(', ')}` : `did you mean '${nearest}'?`
    return `${file}: ${place}: unknown setting '${key}'; ${advice}`
  })
}

function toSpec(pool: z.output<typeof poolSchema>): PoolSpec {
  const { slots = slotsOf(pool), nodes, workersPerNode } = pool
  const cpus = pool.cpus ?? slots * workersPerNode
  return {
    limits: {
      name: pool.name,
      minWorkers: pool.minWorkers,
      maxWorkers: pool.maxWorkers,
      slotsPerWorker: slots,
      workersPerAllocation: nodes * workersPerNode,
      coresPerAllocation: nodes * cpus,
      walltimeMs: pool.walltime,
      idleTimeoutMs: pool.idleTimeout,
      maxPending: pool.maxPending,
      maxJobs: pool.maxJobs,
      array: pool.array,
      registerTimeoutMs: pool.registerTimeout,
      pendingTimeoutMs: pool.pendingTimeout,
      maxFailedSubmits: pool.maxFailedSubmits,
      maxNeverRegistered: pool.maxNeverRegistered,
      targetDurationMs: pool.targetDuration,
      coreHours: pool.coreHours,
    },
    cpus,
    memoryBytes: pool.memory,
    signalLeadMs: pool.signalLead,
    resources: pool.resources ?? resourcesOf(pool),
    ...pick(pool, ['partition', 'account', 'qos', 'constraint', 'gres', 'nodes', 'workersPerNode', 'exclusive']),
    ...pick(pool, ['executor', 'spillDir', 'directives', 'modules', 'prologue', 'epilogue', 'node', 'listenAddress']),
  }
}

/** A slot for each CPU, unless told otherwise. */
function slotsOf({ cpus = 1, workersPerNode }: z.output<typeof poolSchema>): number {
  return Math.max(1, Math.floor(cpus / workersPerNode))
}

/** The GPUs of `gpu:a100:2`, shared among the workers of the node. */
function resourcesOf({ gres = '', workersPerNode }: z.output<typeof poolSchema>): Record<string, number> {
  const [, amount] = /(?:^|,)gpu(?::[A-Za-z][^:,]*)?(?::(\d+))?(?:$|[,(])/.exec(gres) ?? []
  const isGpu = /(?:^|,)gpu(?:[:,(]|$)/.test(gres)
  const gpus = isGpu ? Math.floor(Number(amount ?? 1) / workersPerNode) : 0
  return gpus > 0 ? { gpu: gpus } : {}
}

function pick<T, K extends keyof T>(from: T, keys: readonly K[]): Pick<T, K> {
  return Object.fromEntries(keys.map((key) => [key, from[key]])) as Pick<T, K>
}
