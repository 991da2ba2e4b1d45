import { readFile } from 'node:fs/promises'

import * as z from 'zod'

import { ConfigError } from '#libs/config'
import { parseBytes, parseDurationMs } from '#libs/domain'

import type { PoolLimits } from '../core/state.js'

/** A pool as its job scripts need it. */
export interface PoolSpec {
  readonly limits: PoolLimits
  readonly partition: string | undefined
  readonly account: string | undefined
  readonly qos: string | undefined
  readonly constraint: string | undefined
  readonly gres: string | undefined
  readonly cpusPerTask: number
  readonly memoryBytes: number | undefined
  readonly timeMs: number
  /** How long before the time limit the worker is told to finish. */
  readonly signalLeadMs: number
  readonly exclusive: boolean
  /** Further options for sbatch, as they stand behind `#SBATCH`. */
  readonly directives: readonly string[]
  /** Shell lines that prepare the environment, such as `module load nodejs/20`. */
  readonly prologue: readonly string[]
  /** The Node.js program on the nodes. */
  readonly node: string
  /** Where the worker listens for transfers. */
  readonly listenAddress: string
}

/** The options that scripts set themselves; a second one would win over ours or be lost, depending on the order. */
const ownOptions = [
  'job-name',
  'ntasks',
  'cpus-per-task',
  'mem',
  'time',
  'signal',
  'export',
  'output',
  'open-mode',
  'array',
]
const ownShortOptions = ['J', 'n', 'c', 't', 'o', 'a']

// SLURM's array indices end at 1,000 unless a site raises MaxArraySize.
const mostWorkers = 1_000
const longestLeadMs = 65_535_000
const line = z.string().regex(/^[^\u0000-\u001f\u007f]+$/, 'must be one line of printable text')
const directive = line.superRefine((text, context) => {
  const [, long, short] = /^(?:--([a-z][a-z0-9-]*)|-([A-Za-z]))/.exec(text) ?? []
  // sbatch takes any unambiguous beginning of a long option for it.
  const ours =
    long === undefined ? ownShortOptions.includes(short ?? '') : ownOptions.some((own) => own.startsWith(long))
  if (long === undefined && short === undefined) {
    context.addIssue({
      code: 'custom',
      message: `'${text}' is no option for sbatch; write for example '--nodelist=node1'`,
    })
  } else if (ours) {
    context.addIssue({
      code: 'custom',
      message: `'${text}' is set by the provisioner itself; use the pool's own settings`,
    })
  }
})

const poolSchema = z
  .strictObject({
    name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'must be at most 40 of a-z, 0-9 and -'),
    minWorkers: z.int().min(0).max(mostWorkers).default(0),
    maxWorkers: z.int().min(1).max(mostWorkers).default(10),
    slots: z.int().min(1).max(4_096).default(1),
    idleTimeout: duration('idleTimeout').default(300_000),
    partition: line.optional(),
    account: line.optional(),
    qos: line.optional(),
    constraint: line.optional(),
    gres: line.optional(),
    cpusPerTask: z.int().min(1).optional(),
    memory: z
      .string()
      .transform(quantity((text) => parseBytes(text, 'memory')))
      .optional(),
    time: duration('time').default(3_600_000),
    signalLead: duration('signalLead').default(120_000),
    exclusive: z.boolean().default(false),
    directives: z.array(directive).default([]),
    prologue: z.array(line).default([]),
    node: line.default(process.execPath),
    listenAddress: line.default('0.0.0.0:0'),
  })
  .superRefine(({ minWorkers, maxWorkers, time, signalLead }, context) => {
    const complain = (path: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [path], message })
    if (minWorkers > maxWorkers) complain('minWorkers', `is ${minWorkers}, above maxWorkers (${maxWorkers})`)
    // sbatch takes 0 for "no limit".
    if (time < 60_000) complain('time', 'must be at least a minute: SLURM counts in minutes')
    if (signalLead >= time) complain('signalLead', 'must be shorter than time')
    if (signalLead > longestLeadMs) complain('signalLead', `must be at most ${longestLeadMs / 1000} seconds`)
  })

const fileSchema = z
  .strictObject({ pools: z.array(poolSchema).min(1, 'must name at least one pool') })
  .superRefine(({ pools }, context) => {
    for (const [index, { name }] of pools.entries()) {
      if (pools.findIndex((pool) => pool.name === name) === index) continue
      context.addIssue({ code: 'custom', path: ['pools', index, 'name'], message: `there are two pools '${name}'` })
    }
  })

/** The pool of a provisioner that was given no file: jobs as the cluster's defaults make them. */
export const defaultPools: readonly PoolSpec[] = [toSpec(poolSchema.parse({ name: 'default' }))]

/**
 * Reads a JSON file of pools, `{"pools": [{"name": "cpu", "partition": "compute", "slots": 16, "memory": "32G"}]}`.
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
export function parsePools(text: string, file: string): readonly PoolSpec[] {
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch (error) {
    throw new ConfigError(`${file} is no JSON: ${(error as Error).message}`, { cause: error })
  }
  const parsed = fileSchema.safeParse(content)
  if (parsed.success) return parsed.data.pools.map(toSpec)
  const problems = parsed.error.issues.map(({ path, message }) => `${file}: ${path.join('.') || 'file'}: ${message}`)
  throw new ConfigError(problems.join('\n'))
}

function toSpec(pool: z.output<typeof poolSchema>): PoolSpec {
  const { name, minWorkers, maxWorkers, slots, idleTimeout, memory, time, signalLead, cpusPerTask, ...rest } = pool
  return {
    limits: { name, minWorkers, maxWorkers, slotsPerWorker: slots, idleTimeoutMs: idleTimeout },
    cpusPerTask: cpusPerTask ?? slots,
    memoryBytes: memory,
    timeMs: time,
    signalLeadMs: signalLead,
    partition: rest.partition,
    account: rest.account,
    qos: rest.qos,
    constraint: rest.constraint,
    gres: rest.gres,
    exclusive: rest.exclusive,
    directives: rest.directives,
    prologue: rest.prologue,
    node: rest.node,
    listenAddress: rest.listenAddress,
  }
}

function duration(what: string) {
  return z.string().transform(quantity((text) => parseDurationMs(text, what)))
}

/** A reader of quantities whose complaint becomes the schema's. */
function quantity(read: (text: string) => number) {
  return (text: string, context: z.core.$RefinementCtx): number => {
    try {
      return read(text)
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message })
      return z.NEVER
    }
  }
}
