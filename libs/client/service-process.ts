import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import { exitCodes } from '#libs/lifecycle'

/** A service of a cluster that this program made. */
export interface ServiceProcess {
  readonly name: string
  readonly instanceId: string
  isRunning(): boolean
  /** Resolves with the exit code when the process has ended and is not started again. */
  readonly exited: Promise<number | null>
  /** Asks the process to end, and ends it when it does not within the grace. */
  stop(graceMs: number): Promise<void>
  /** The last lines of its log, for messages. */
  logTail(): Promise<string>
}

/** What a service process is started with. */
export interface ServiceProcessOptions {
  readonly name: 'scheduler' | 'checkpoint-store' | 'worker' | 'slurm-provisioner'
  readonly instanceId: string
  readonly args: readonly string[]
  readonly runDir: string
  /** A process that outlives this program has no pipe to it, and a supervisor of its own. */
  readonly keepAlive: boolean
  /** Hears of each process that is started. */
  readonly onStarted: (pid: number) => void
}

const restartMs = 100
/** A service that fails at once, again and again, will not come up. */
const mostCrashes = 5
const healthyMs = 1_000

const running = new Set<ChildProcess>()
let isCleaningUp = false

/** Starts a service by its path: the SDK never imports one. One that crashes is started again, as long as this program runs. */
export function startServiceProcess(options: ServiceProcessOptions): ServiceProcess {
  const { name, instanceId, runDir, keepAlive } = options
  const logFile = path.join(runDir, 'logs', `${instanceId}.log`)
  let stopping = false
  let crashes = 0
  let child: ChildProcess
  let giveUp!: (code: number | null) => void
  const exited = new Promise<number | null>((resolve) => (giveUp = resolve))

  const start = (): void => {
    const startedAtMs = Date.now()
    const started = spawnService(options, logFile)
    child = started
    options.onStarted(started.pid ?? 0)
    if (!keepAlive) running.add(started)
    started.on('exit', (code, signal) => {
      running.delete(started)
      crashes = Date.now() - startedAtMs > healthyMs ? 1 : crashes + 1
      const hasCrashed = signal !== null || code === exitCodes.crashed
      // A supervisor sees to its own, and does not crash with them.
      if (stopping || !hasCrashed || isSupervised(options) || crashes === mostCrashes) giveUp(code)
      else setTimeout(() => (stopping ? giveUp(code) : start()), restartMs * 2 ** (crashes - 1)).unref()
    })
    started.on('error', () => giveUp(null))
  }
  if (!keepAlive) cleanUpAtExit()
  start()

  return {
    name,
    instanceId,
    isRunning: () => child.exitCode === null && child.signalCode === null,
    exited,
    stop: async (graceMs) => {
      stopping = true
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGTERM')
      const killer = setTimeout(() => child.kill('SIGKILL'), graceMs)
      await exited
      clearTimeout(killer)
    },
    logTail: async () => {
      const text = await readFile(logFile, 'utf8').catch(() => '')
      return text.trimEnd().split('\n').slice(-5).join('\n')
    },
  }
}

/** Workers have a supervisor that watches their memory; what outlives this program needs one to be started again. */
function isSupervised({ name, keepAlive }: ServiceProcessOptions): boolean {
  return name === 'worker' || (keepAlive && name !== 'slurm-provisioner')
}

function spawnService(options: ServiceProcessOptions, logFile: string): ChildProcess {
  const { name, instanceId, args, runDir, keepAlive } = options
  const dist = fileURLToPath(new URL('../../', import.meta.url))
  const program = path.join(dist, 'services', name, 'main.js')
  const telemetry = path.join(dist, 'libs', 'telemetry', 'register.js')
  const log = openSync(logFile, 'a', 0o600)
  // A supervisor traces nothing; it preloads telemetry into what it keeps alive.
  const nodeArgs = isSupervised(options) ? [] : ['--import', telemetry]
  const child = spawn(process.execPath, [...nodeArgs, program, ...args], {
    // A process group of its own: Ctrl-C is for this program, which ends its services in order.
    detached: true,
    stdio: [keepAlive ? 'ignore' : 'pipe', log, log],
    env: {
      ...process.env,
      // Transparent huge pages for large buffers, where the C library knows the tunable.
      GLIBC_TUNABLES: process.env['GLIBC_TUNABLES'] ?? 'glibc.malloc.hugetlb=1',
      COSTATE_SERVICE: name,
      COSTATE_INSTANCE: instanceId,
      COSTATE_RUN_DIR: runDir,
      ...(isSupervised(options) ? { COSTATE_SUPERVISE: '1' } : {}),
      ...(keepAlive ? {} : { COSTATE_OWNED: '1' }),
    },
  })
  closeSync(log)
  child.stdin?.on('error', () => undefined)
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
