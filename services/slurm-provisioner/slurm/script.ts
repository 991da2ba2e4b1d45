import path from 'node:path'

import type { PoolSpec } from './pools.js'
import { directiveWord, outputPath, shellWord } from './quoting.js'
import { commentOf, jobNameOf, type JobTag } from './tag.js'

/** How workers are started on the nodes, the same for all pools. */
export interface WorkerLaunch {
  /** Holds the mesh's secrets and addresses; the nodes must see it under this path. */
  readonly meshDir: string
  /** Where the jobs' output goes. It must exist when they start. */
  readonly logDir: string
  /** Where workers write traces, if anywhere. */
  readonly runDir?: string
  /** The built worker: its program, and the telemetry that is loaded before it. */
  readonly mainFile: string
  /** Where to dial; absent to look in the mesh folder. */
  readonly schedulerAddress?: readonly string[]
  readonly checkpointStoreAddress?: readonly string[]
}

/** One submit. */
export interface SubmitOrder {
  readonly tag: JobTag
  /** One job, or an array of so many. */
  readonly count: number
  readonly excludedNodes: readonly string[]
  /** The trace that the workers' start belongs to, as environment variables (TRACEPARENT, …). */
  readonly carrier: Readonly<Record<string, string>>
}

/** What of a job's memory its workers may use: their supervisor needs some itself, and must act before SLURM does. */
const usableMemory = 0.95
/** How long before the time limit everything is over: what is left of the notice is for the end itself. */
const endMarginMs = 10_000

/**
 * The job script that starts workers of a pool, ready for sbatch. It holds no secret: the worker reads them from the mesh folder. It
 * says `--export=NONE`, so that nothing of the environment in which sbatch is called (ours has the settings of another service)
 * reaches the job.
 *
 * @throws RangeError for settings that cannot be written into a script.
 */
export function renderScript(pool: PoolSpec, order: SubmitOrder, launch: WorkerLaunch): string {
  const environment = {
    ...(launch.runDir === undefined ? {} : { COSTATE_RUN_DIR: launch.runDir }),
    COSTATE_NOTICE_MS: String(Math.max(1_000, pool.signalLeadMs - endMarginMs)),
    ...order.carrier,
  }
  return [
    '#!/bin/bash',
    ...directivesOf(pool, order, launch).map((directive) => `#SBATCH ${directive}`),
    '',
    '# A line that fails ends the job: no worker starts in half an environment.',
    'set -e',
    ...signalLines,
    '# Parallel is what the slots are: numeric libraries in them get one thread each.',
    'export OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 BLIS_NUM_THREADS=1 NUMEXPR_NUM_THREADS=1',
    '# Large buffers on huge pages: fresh memory is several times faster.',
    'export GLIBC_TUNABLES=glibc.malloc.hugetlb=1',
    ...moduleLines(pool.modules),
    ...pool.prologue,
    ...Object.entries(environment).map(([name, value]) => `export ${name}=${shellWord(value)}`),
    '# Who this is, and when it ends, for the scheduler.',
    `export COSTATE_ALLOCATION=${order.tag.pool}/${order.tag.key}."\${SLURM_ARRAY_TASK_ID:-0}"`,
    'export COSTATE_SLURM_JOB_ID="${SLURM_JOB_ID:-}" COSTATE_RESTART_COUNT="${SLURM_RESTART_COUNT:-0}"',
    `export COSTATE_ENDS_AT="\${SLURM_JOB_END_TIME:-$(($(date +%s) + ${Math.floor(pool.limits.walltimeMs / 1000)}))}"`,
    '# Told to go before a worker was there.',
    'if [ -n "$costate_told" ]; then exit 0; fi',
    '',
    `${commandOf(pool, launch)} &`,
    ...waitLines,
    ...pool.epilogue,
    'exit "$costate_status"',
    '',
  ].join('\n')
}

/** SLURM tells the batch script ahead of the time limit, and nobody else: the workers hear it from here. */
const signalLines = [
  '# What SLURM tells this script it tells the workers, which then finish, hand over and leave.',
  'costate_pid= costate_told=',
  'costate_tell() { costate_told=$1; if [ -n "$costate_pid" ]; then kill -s "$1" "$costate_pid" 2>/dev/null || :; fi; }',
  "trap 'costate_tell USR1' USR1",
  "trap 'costate_tell TERM' TERM",
]

/** A signal ends a wait, not what is waited for. */
const waitLines = [
  'costate_pid=$! costate_status=0',
  'while :; do',
  '  costate_status=0; wait "$costate_pid" || costate_status=$?',
  '  kill -0 "$costate_pid" 2>/dev/null || break',
  'done',
  'wait "$costate_pid" 2>/dev/null && costate_status=0 || { costate_last=$?; [ "$costate_last" -eq 127 ] || costate_status=$costate_last; }',
]

function moduleLines(modules: readonly string[]): string[] {
  if (modules.length === 0) return []
  return [
    '# The module command is a function of login shells, and this is none.',
    'for costate_init in /etc/profile.d/modules.sh /etc/profile.d/lmod.sh /usr/share/lmod/lmod/init/bash /usr/share/modules/init/bash; do',
    '  if ! command -v module >/dev/null && [ -r "$costate_init" ]; then . "$costate_init"; fi',
    'done',
    `module load ${modules.map(shellWord).join(' ')}`,
  ]
}

function directivesOf(pool: PoolSpec, { tag, count, excludedNodes }: SubmitOrder, { logDir }: WorkerLaunch): string[] {
  const { name, walltimeMs } = pool.limits
  const options: [name: string, value: string | number | undefined][] = [
    ['job-name', jobNameOf(tag)],
    ['comment', commentOf(tag)],
    ['partition', pool.partition],
    ['account', pool.account],
    ['qos', pool.qos],
    ['constraint', pool.constraint],
    ['nodes', pool.nodes],
    ['ntasks-per-node', 1],
    ['cpus-per-task', pool.cpus],
    ['mem', pool.memoryBytes === undefined ? undefined : `${Math.ceil(pool.memoryBytes / 2 ** 20)}M`],
    ['gres', pool.gres],
    ['time', clockOf(walltimeMs)],
    ['signal', `B:USR1@${Math.ceil(pool.signalLeadMs / 1000)}`],
    ['export', 'NONE'],
    ['output', `${outputPath(path.join(logDir, `costate-${name}`))}-${count > 1 ? '%A_%a' : '%j'}.out`],
    ['open-mode', 'append'],
    ['array', count > 1 ? `0-${count - 1}` : undefined],
    ['exclude', excludedNodes.length > 0 ? excludedNodes.join(',') : undefined],
  ]
  return [
    ...options.flatMap(([option, value]) =>
      value === undefined ? [] : [`--${option}=${directiveWord(String(value))}`],
    ),
    ...(pool.exclusive ? ['--exclusive'] : []),
    ...pool.directives,
  ]
}

function commandOf(pool: PoolSpec, launch: WorkerLaunch): string {
  const { memoryBytes, workersPerNode, nodes } = pool
  const resources = Object.entries(pool.resources).map(([name, amount]) => `${name}=${amount}`)
  const flags: [name: string, value: string | number | undefined][] = [
    ['mesh-dir', launch.meshDir],
    ['listen-address', pool.listenAddress],
    ['slots', pool.limits.slotsPerWorker],
    ['count', workersPerNode > 1 ? workersPerNode : undefined],
    ['executor', pool.executor === 'thread' ? undefined : pool.executor],
    ['memory-limit', memoryBytes === undefined ? undefined : Math.floor((memoryBytes * usableMemory) / workersPerNode)],
    ['resources', resources.length > 0 ? resources.join(',') : undefined],
    ['spill-dir', pool.spillDir],
    ['scheduler-address', launch.schedulerAddress?.join(',')],
    ['checkpoint-store-address', launch.checkpointStoreAddress?.join(',')],
  ]
  // One supervisor per node. What --export=NONE keeps out of the job must not keep the job's own out of its steps.
  const onEachNode = [
    'srun',
    '--ntasks-per-node=1',
    `--cpus-per-task=${pool.cpus}`,
    '--export=ALL',
    '--kill-on-bad-exit=0',
    '--wait=0',
  ]
  return [
    ...(nodes > 1 ? onEachNode : []),
    pool.node,
    launch.mainFile,
    ...flags.flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, String(value)])),
  ]
    .map(shellWord)
    .join(' ')
}

/** A time limit as sbatch takes it, days-hours:minutes:seconds. */
function clockOf(durationMs: number): string {
  const seconds = Math.ceil(durationMs / 1000)
  const twoDigits = (value: number): string => String(Math.floor(value)).padStart(2, '0')
  const clock = [(seconds / 3600) % 24, (seconds / 60) % 60, seconds % 60].map(twoDigits).join(':')
  return seconds >= 86_400 ? `${Math.floor(seconds / 86_400)}-${clock}` : clock
}
