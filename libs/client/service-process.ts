import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

/** A service of a cluster that this program made. */
export interface ServiceProcess {
  readonly name: string
  readonly instanceId: string
  readonly pid: number
  isRunning(): boolean
  /** Resolves with the exit code when the process has ended. */
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
  /** A process that outlives this program has no pipe to it. */
  readonly keepAlive: boolean
}

const running = new Set<ChildProcess>()
let isCleaningUp = false

/** Starts a service by its path: the SDK never imports one. */
export function startServiceProcess(options: ServiceProcessOptions): ServiceProcess {
  const { name, instanceId, args, runDir, keepAlive } = options
  const dist = fileURLToPath(new URL('../../', import.meta.url))
  const program = path.join(dist, 'services', name, 'main.js')
  const telemetry = path.join(dist, 'libs', 'telemetry', 'register.js')
  const logFile = path.join(runDir, 'logs', `${instanceId}.log`)
  const log = openSync(logFile, 'a', 0o600)
  // A process group of its own: Ctrl-C is for this program, which ends its services in order.
  // The worker's supervisor traces nothing; it preloads telemetry into the workers.
  const nodeArgs = name === 'worker' ? [] : ['--import', telemetry]
  const child = spawn(process.execPath, [...nodeArgs, program, ...args], {
    detached: true,
    stdio: [keepAlive ? 'ignore' : 'pipe', log, log],
    env: {
      ...process.env,
      // Transparent huge pages for large buffers, where the C library knows the tunable.
      GLIBC_TUNABLES: process.env['GLIBC_TUNABLES'] ?? 'glibc.malloc.hugetlb=1',
      COSTATE_SERVICE: name,
      COSTATE_INSTANCE: instanceId,
      COSTATE_RUN_DIR: runDir,
      ...(keepAlive ? {} : { COSTATE_OWNED: '1' }),
    },
  })
  closeSync(log)
  child.stdin?.on('error', () => undefined)
  const exited = new Promise<number | null>((resolve) => {
    child.on('exit', (code) => {
      running.delete(child)
      resolve(code)
    })
    child.on('error', () => resolve(null))
  })
  // A program that forgets to close its cluster still ends; its services then see their pipe close.
  child.unref()
  ;(child.stdin as unknown as { unref?: () => void } | null)?.unref?.()
  if (!keepAlive) {
    running.add(child)
    cleanUpAtExit()
  }
  return {
    name,
    instanceId,
    pid: child.pid ?? 0,
    isRunning: () => child.exitCode === null && child.signalCode === null,
    exited,
    stop: async (graceMs) => {
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

function cleanUpAtExit(): void {
  if (isCleaningUp) return
  isCleaningUp = true
  process.on('exit', () => {
    for (const child of running) child.kill('SIGTERM')
  })
}
