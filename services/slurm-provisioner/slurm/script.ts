import path from 'node:path'

import type { PoolSpec } from './pools.js'
import { directiveWord, outputPath, shellWord } from './quoting.js'

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

/** What of a job's memory its worker may use: the worker's supervisor needs some itself, and must act before SLURM does. */
const usableMemory = 0.95

/**
 * The job script that starts `count` workers of a pool, one per job of an array, ready for sbatch. It holds no secret: the
 * worker reads them from the mesh folder. It says `--export=NONE`, so that nothing of the environment in which sbatch is called
 * (ours has the settings of another service) reaches the job.
 *
 * @param carrier the trace that the workers' start belongs to, as environment variables (TRACEPARENT, …).
 * @throws RangeError for settings that cannot be written into a script.
 */
export function renderScript(
  pool: PoolSpec,
  count: number,
  launch: WorkerLaunch,
  carrier: Readonly<Record<string, string>>,
): string {
  const environment = {
    ...(launch.runDir === undefined ? {} : { COSTATE_RUN_DIR: launch.runDir }),
    ...carrier,
  }
  return [
    '#!/bin/bash',
    ...directivesOf(pool, count, launch).map((directive) => `#SBATCH ${directive}`),
    '',
    '# A line of the prologue that fails ends the job: no worker starts in half an environment.',
    'set -e',
    '# Parallel is what the slots are: numeric libraries in them get one thread each.',
    'export OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1',
    '# Large buffers on huge pages: fresh memory is several times faster.',
    'export GLIBC_TUNABLES=glibc.malloc.hugetlb=1',
    ...pool.prologue,
    ...Object.entries(environment).map(([name, value]) => `export ${name}=${shellWord(value)}`),
    '# By exec, so that signals to the batch script reach the worker itself.',
    `exec ${commandOf(pool, launch).map(shellWord).join(' ')}`,
    '',
  ].join('\n')
}

function directivesOf(pool: PoolSpec, count: number, { logDir }: WorkerLaunch): string[] {
  const { name } = pool.limits
  const options: [name: string, value: string | number | undefined][] = [
    ['job-name', `costate-${name}`],
    ['partition', pool.partition],
    ['account', pool.account],
    ['qos', pool.qos],
    ['constraint', pool.constraint],
    ['ntasks', 1],
    ['cpus-per-task', pool.cpusPerTask],
    ['mem', pool.memoryBytes === undefined ? undefined : `${Math.ceil(pool.memoryBytes / 2 ** 20)}M`],
    ['gres', pool.gres],
    ['time', clockOf(pool.timeMs)],
    ['signal', `B:USR1@${Math.ceil(pool.signalLeadMs / 1000)}`],
    ['export', 'NONE'],
    ['output', `${outputPath(path.join(logDir, `costate-${name}`))}-%j.out`],
    ['open-mode', 'append'],
    ['array', count > 1 ? `0-${count - 1}` : undefined],
  ]
  return [
    ...options.flatMap(([option, value]) =>
      value === undefined ? [] : [`--${option}=${directiveWord(String(value))}`],
    ),
    ...(pool.exclusive ? ['--exclusive'] : []),
    ...pool.directives,
  ]
}

function commandOf(pool: PoolSpec, launch: WorkerLaunch): string[] {
  const flags: [name: string, value: string | number | undefined][] = [
    ['mesh-dir', launch.meshDir],
    ['listen-address', pool.listenAddress],
    ['slots', pool.limits.slotsPerWorker],
    ['memory-limit', pool.memoryBytes === undefined ? undefined : Math.floor(pool.memoryBytes * usableMemory)],
    ['scheduler-address', launch.schedulerAddress?.join(',')],
    ['checkpoint-store-address', launch.checkpointStoreAddress?.join(',')],
  ]
  return [
    pool.node,
    launch.mainFile,
    ...flags.flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, String(value)])),
  ]
}

/** A time limit as sbatch takes it, days-hours:minutes:seconds. */
function clockOf(durationMs: number): string {
  const seconds = Math.ceil(durationMs / 1000)
  const twoDigits = (value: number): string => String(Math.floor(value)).padStart(2, '0')
  const clock = [(seconds / 3600) % 24, (seconds / 60) % 60, seconds % 60].map(twoDigits).join(':')
  return seconds >= 86_400 ? `${Math.floor(seconds / 86_400)}-${clock}` : clock
}
