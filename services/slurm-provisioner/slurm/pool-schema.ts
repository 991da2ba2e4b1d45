import * as z from 'zod'

import { parseBytes, parseDurationMs, parseOffer } from '#libs/domain'

/** The options that scripts set themselves; a second one would win over ours or be lost, depending on the order. */
const ownOptions = [
  ...['job-name', 'comment', 'nodes', 'ntasks', 'ntasks-per-node', 'cpus-per-task', 'mem', 'time', 'signal', 'export'],
  ...['output', 'open-mode', 'array', 'exclude', 'partition', 'account', 'qos', 'constraint', 'gres', 'exclusive'],
]
const ownShortOptions = ['J', 'N', 'n', 'c', 't', 'o', 'a', 'x', 'p', 'A', 'q', 'C']

// SLURM's array indices end at 1,000 unless a site raises MaxArraySize.
const mostWorkers = 1_000
const longestLeadMs = 65_535_000
const line = z.string().regex(/^[^\u0000-\u001f\u007f]+$/, 'must be one line of printable text')
const word = z.string().regex(/^[^\u0000-\u001f\u007f\s]+$/, 'must be one word')
const count = (least: number, most: number) => z.int().min(least).max(most)

const directive = line.superRefine((text, context) => {
  const [, long, short] = /^(?:--([a-z][a-z0-9-]*)|-([A-Za-z]))/.exec(text) ?? []
  // sbatch takes any unambiguous beginning of a long option for it.
  const ours =
    long === undefined ? ownShortOptions.includes(short ?? '') : ownOptions.some((own) => own.startsWith(long))
  if (long === undefined && short === undefined) {
    const message = `'${text}' is no option for sbatch; write for example '--nodelist=node1'`
    context.addIssue({ code: 'custom', message })
  } else if (ours) {
    const message = `'${text}' is set by the provisioner itself; use the pool's own settings`
    context.addIssue({ code: 'custom', message })
  }
})

/** A pool as the pools file has it. */
export const poolSchema = z
  .strictObject({
    name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'must be at most 40 of a-z, 0-9 and -'),
    partition: line.optional(),
    account: line.optional(),
    qos: line.optional(),
    constraint: line.optional(),
    gres: line.optional(),
    cpus: count(1, 4_096).optional(),
    memory: memory().optional(),
    walltime: duration('walltime').default(3_600_000),
    signalLead: duration('signalLead').default(120_000),
    exclusive: z.boolean().default(false),
    nodes: count(1, 10_000).default(1),
    workersPerNode: count(1, 256).default(1),
    slots: count(1, 4_096).optional(),
    resources: z.record(z.string(), z.number()).optional(),
    executor: z.enum(['thread', 'process']).default('thread'),
    spillDir: line.optional(),
    array: z.boolean().default(true),
    directives: z.array(directive).default([]),
    modules: z.array(word).default([]),
    prologue: z.array(line).default([]),
    epilogue: z.array(line).default([]),
    minWorkers: count(0, mostWorkers).default(0),
    maxWorkers: count(1, mostWorkers).default(10),
    maxPending: count(1, mostWorkers).default(100),
    maxJobs: count(1, 10_000).default(1_000),
    idleTimeout: duration('idleTimeout').default(300_000),
    registerTimeout: duration('registerTimeout').default(300_000),
    pendingTimeout: duration('pendingTimeout').optional(),
    maxFailedSubmits: count(1, 1_000).default(10),
    maxNeverRegistered: count(1, 1_000).default(3),
    targetDuration: duration('targetDuration').default(5_000),
    coreHours: z.number().positive().optional(),
    node: line.default(process.execPath),
    listenAddress: word.default('0.0.0.0:0'),
  })
  .superRefine((pool, context) => {
    const { minWorkers, maxWorkers, walltime, signalLead, nodes, workersPerNode } = pool
    const complain = (path: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [path], message })
    if (minWorkers > maxWorkers) complain('minWorkers', `is ${minWorkers}, above maxWorkers (${maxWorkers})`)
    // sbatch takes 0 for "no limit".
    if (walltime < 60_000) complain('walltime', 'must be at least a minute: SLURM counts in minutes')
    if (signalLead >= walltime) complain('signalLead', `must be shorter than walltime`)
    if (signalLead > longestLeadMs) complain('signalLead', `must be at most ${longestLeadMs / 1000} seconds`)
    if (nodes * workersPerNode > maxWorkers) {
      complain('nodes', `one job has ${nodes * workersPerNode} workers, more than maxWorkers (${maxWorkers})`)
    }
    try {
      parseOffer(pool.resources ?? {}, 'resources')
    } catch (error) {
      complain('resources', (error as Error).message)
    }
  })

export const poolKeys: readonly string[] = Object.keys(poolSchema.shape)

export const poolsFileSchema = z
  .strictObject({ pools: z.array(poolSchema).min(1, 'must name at least one pool') })
  .superRefine(({ pools }, context) => {
    for (const [index, { name }] of pools.entries()) {
      if (pools.findIndex((pool) => pool.name === name) === index) continue
      context.addIssue({ code: 'custom', path: ['pools', index, 'name'], message: `there are two pools '${name}'` })
    }
  })

/** SLURM reads a number without a unit as minutes here and as megabytes there; people do not. */
function duration(what: string) {
  return quantity(
    (text) => parseDurationMs(text, what),
    (text) => `${what}: '${text}' has no unit; write for example '${text}min' or '01:00:00'`,
  )
}

function memory() {
  return quantity(
    (text) => parseBytes(text, 'memory'),
    (text) => `memory: '${text}' has no unit; write for example '${text}M' or '4G'`,
  )
}

function quantity(read: (text: string) => number, complainOfUnit: (text: string) => string) {
  return z.union([z.string(), z.number()]).transform((value, context): number => {
    try {
      const text = String(value)
      if (/^\s*\d+(?:\.\d+)?\s*$/.test(text)) throw new RangeError(complainOfUnit(text.trim()))
      return read(text)
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message })
      return z.NEVER
    }
  })
}
