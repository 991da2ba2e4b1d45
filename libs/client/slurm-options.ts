import type { DurabilityLevel } from '#libs/task'

/** What the SLURM jobs of a cluster are asked for; all but `cores` have the meaning and the default of the pools file. */
export interface SlurmPool {
  /** CPUs of a worker; 1 unless given. Each is a slot, unless `slots` says otherwise. */
  readonly cores?: number
  /** How many tasks a worker runs at once. */
  readonly slots?: number
  /** Memory of a worker, such as `'4GB'`; the site's default unless given. */
  readonly memory?: string
  /** The time limit of a job, such as `'02:00:00'` or `'90min'`; an hour unless given. */
  readonly walltime?: string
  /** How long before the time limit its tasks are told to save and end; two minutes unless given. */
  readonly signalLead?: string
  /** The partition; the site's default unless given. */
  readonly queue?: string
  readonly account?: string
  readonly qos?: string
  readonly constraint?: string
  /** Generic resources, such as `'gpu:2'`; tasks find the GPUs in `ctx.devices`. */
  readonly gres?: string
  readonly exclusive?: boolean
  /** Nodes of one job, each with a worker; 1 unless given. */
  readonly nodes?: number
  readonly workersPerNode?: number
  /** Environment modules that the workers need. */
  readonly modules?: readonly string[]
  /** Shell lines before a worker starts, and after it has ended. */
  readonly prologue?: readonly string[]
  readonly epilogue?: readonly string[]
  /** Further options for sbatch, as they stand behind `#SBATCH`. */
  readonly directives?: readonly string[]
  /** The Node.js program on the nodes; this one unless given. */
  readonly node?: string
  /** Whether several jobs are submitted as one array; they are unless it is false. */
  readonly array?: boolean
  readonly executor?: 'thread' | 'process'
  readonly resources?: Readonly<Record<string, number>>
  readonly spillDir?: string
  /** How many jobs may wait in the queue, and be there, at once. */
  readonly maxPending?: number
  readonly maxJobs?: number
  /** What all jobs together may cost. */
  readonly coreHours?: number
  /** How long workers must have had nothing to do before they are let go, after `adapt`; five minutes unless given. */
  readonly idleTimeout?: string
  /** A job that runs so long without a worker at the scheduler is given up. */
  readonly registerTimeout?: string
}

/** A mesh whose workers are SLURM jobs. */
export interface SlurmClusterOptions extends SlurmPool {
  /** How many workers are kept; none unless given: `adapt` or `scale` asks for some. */
  readonly workers?: number
  /** Where services listen: an address of this machine that the nodes can dial; all unless given. */
  readonly host?: string
  /** Where journals and checkpoints lie: a disk of this machine; in the mesh folder if that is on one. */
  readonly dataDir?: string
  /** How often SLURM's queue is looked at; ten seconds unless given. */
  readonly pollInterval?: string
  /** Under which `connect(name)` finds the mesh; made up unless given. */
  readonly name?: string
  /** The mesh outlives this program; `connect(name)` finds it, `costate down <name>` ends it and its SLURM jobs. */
  readonly keepAlive?: boolean
  /** Where traces and logs go: a folder that the nodes see too; `.costate/runs/<time>-<name>` in the working folder unless given. */
  readonly runDir?: string
  readonly durability?: DurabilityLevel
}

/** The name of the only pool that such a cluster has. */
export const poolName = 'default'
/** What the pools file lets a pool have. */
const mostWorkers = 1_000

/** The bounds within which the number of workers is to be. */
export interface WorkerBounds {
  readonly minimum: number
  readonly maximum: number
}

/** The pools file of a cluster; settings that are not given are left to their defaults. */
export function poolsFileOf(options: SlurmClusterOptions, { minimum, maximum }: WorkerBounds): string {
  const { cores = 1, queue, nodes = 1, workersPerNode = 1, ...rest } = options
  const { workers: _workers, host, dataDir: _dataDir, pollInterval: _pollInterval, name: _name, ...others } = rest
  const { keepAlive: _keepAlive, runDir: _runDir, durability: _durability, ...pool } = others
  const settings = {
    ...pool,
    name: poolName,
    cpus: cores,
    ...(queue === undefined ? {} : { partition: queue }),
    ...{ nodes, workersPerNode, minWorkers: minimum, maxWorkers: Math.max(maximum, nodes * workersPerNode) },
    listenAddress: isOnlyHere(host) ? '127.0.0.1:0' : '0.0.0.0:0',
  }
  return `${JSON.stringify({ pools: [settings] }, undefined, 2)}\n`
}

/** Whether services are for this machine alone, and its nodes with them: a cluster of one machine. */
export function isOnlyHere(host: string | undefined): boolean {
  return host === 'localhost' || (host?.startsWith('127.') ?? false)
}

/** @throws RangeError */
export function checkBounds({ minimum, maximum }: WorkerBounds): void {
  const isCount = (count: number): boolean => Number.isInteger(count) && count >= 0 && count <= mostWorkers
  if (isCount(minimum) && isCount(maximum) && minimum <= maximum) return
  throw new RangeError(
    `${minimum} to ${maximum} workers: give whole numbers from 0 to ${mostWorkers}, the smaller one first`,
  )
}
