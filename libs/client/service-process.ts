import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { closeSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import { nodeFlagsOf, serviceRestarts, startSupervisor } from '#libs/lifecycle'

/** A service of a cluster that this program made: one process, or several workers that start and end together. */
export interface ServiceProcess {
  readonly name: string
  readonly instanceId: string
  isRunning(): boolean
  /** Resolves with the exit code when the service has ended and is not started again. */
  readonly exited: Promise<number>
  /** Asks the service to end, and ends it when it does not within the grace. */
  stop(graceMs: number): Promise<void>
  /** The last lines of its log, for messages. */
  logTail(): Promise<string>
}

/** What a service is started with. */
export interface ServiceProcessOptions {
  readonly name: 'scheduler' | 'checkpoint-store' | 'worker' | 'slurm-provisioner'
  readonly instanceId: string
  readonly args: readonly string[]
  /** How many processes of it. */
  readonly count: number
  readonly runDir: string
  /** It outlives this program: there is no pipe to it. */
  readonly keepAlive: boolean
  /**
   * Who starts again what crashed: this program, or a process of its own, which a service that outlives this program and
   * workers with a limit of memory need: limits hold also while this program computes.
   */
  readonly supervisor: 'here' | 'process'
  /** Hears of each process that is started. */
  readonly onStarted: (pid: number) => void
}

const running = new Set<ChildProcess>()
let isCleaningUp = false

/** Starts a service by its path: the SDK never imports one. A process that crashes is started again. */
export function startServiceProcess(options: ServiceProcessOptions): ServiceProcess {
  const { name, instanceId, args, count, runDir, keepAlive, supervisor } = options
  const logFile = path.join(runDir, 'logs', `${instanceId}.log`)
  const isHere = supervisor === 'here'
  if (!keepAlive) cleanUpAtExit()
  const service = startSupervisor({
    program: fileURLToPath(new URL(`../../services/${name}/main.cjs`, import.meta.url)),
    args,
    nodeFlags: nodeFlagsOf(name),
    instance: instanceId,
    count: isHere ? count : 1,
    memoryLimitBytes: 0,
    mintId: () => (name === 'worker' ? `w-${randomUUID().slice(0, 8)}` : instanceId),
    // A supervisor sees to its own, and does not crash with them.
    ...(isHere ? (name === 'worker' ? {} : serviceRestarts) : { mostCrashes: 1 }),
    spawnNode: (nodeArgs, env) => spawnService(options, nodeArgs, env, logFile),
  })
  let isRunning = true
  const exited = service.ended.then((code) => {
    isRunning = false
    return code
  })
  return {
    name,
    instanceId,
    isRunning: () => isRunning,
    exited,
    stop: service.stop,
    logTail: () => readLogTail(runDir, instanceId),
  }
}

/** The last lines of a service's log, for messages. */
export async function readLogTail(runDir: string, instanceId: string): Promise<string> {
  const text = await readFile(path.join(runDir, 'logs', `${instanceId}.log`), 'utf8').catch(() => '')
  return text.trimEnd().split('\n').slice(-5).join('\n')
}

function spawnService(
  { runDir, keepAlive, supervisor, onStarted }: ServiceProcessOptions,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  logFile: string,
): ChildProcess {
  const log = openSync(logFile, 'a', 0o600)
  const child = spawn(process.execPath, args, {
    // A process group of its own: Ctrl-C is for this program, which ends its services in order.
    detached: true,
    stdio: [keepAlive ? 'ignore' : 'pipe', log, log],
    env: {
      ...env,
      // Transparent huge pages for large buffers, where the C library knows the tunable.
      GLIBC_TUNABLES: process.env['GLIBC_TUNABLES'] ?? 'glibc.malloc.hugetlb=1',
      COSTATE_RUN_DIR: runDir,
      COSTATE_OWNED: keepAlive ? undefined : '1',
      ...(supervisor === 'process' ? { COSTATE_SUPERVISE: '1', COSTATE_SUPERVISED: undefined } : {}),
    },
  })
  closeSync(log)
  onStarted(child.pid ?? 0)
  if (!keepAlive) {
    running.add(child)
    child.on('exit', () => running.delete(child))
  }
  // A program that forgets to close its cluster still ends; its services then see their pipe close.
  child.unref()
  ;(child.stdin as unknown as { unref?: () => void } | null)?.unref?.()
  return child
}

function cleanUpAtExit(): void {
  if (isCleaningUp) return
  isCleaningUp = true
  process.on('exit', () => {
    for (const child of running) child.kill('SIGTERM')
  })
}
