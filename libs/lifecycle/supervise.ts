import { type ChildProcess, spawn } from 'node:child_process'

import { exitCodes } from './exit-codes.js'
import { rssBytesOf } from './process-memory.js'
import type { RunningService, StopSignal } from './run-service.js'
import { type PredecessorEnd, supervisedEnv } from './supervised.js'

/** What to keep alive. */
export interface SupervisorOptions {
  /** The program's file; it is run with this process's Node. */
  readonly program: string
  readonly args: readonly string[]
  /** What its processes are called in logs and traces, each with a number behind it. */
  readonly instance: string
  /** How many processes of it. */
  readonly count: number
  /** Resident memory of one process; 0 for no limit. */
  readonly memoryLimitBytes: number
  /** Makes an id for each process that is started. */
  readonly mintId: () => string
  /** Gets what is to be told to people; standard error unless given. */
  readonly warn?: (message: string) => void
  /** A process that lived so long starts again at once; 30 s unless given. */
  readonly healthyMs?: number
  /** After so many crashes in a row, none of them after a healthy life, it is let go; never unless given. */
  readonly mostCrashes?: number
  /** Flags of its Node; none unless given. */
  readonly nodeFlags?: readonly string[]
  /** Starts this process's Node with arguments; on this process's output, below it, unless given. */
  readonly spawnNode?: (args: readonly string[], env: NodeJS.ProcessEnv) => ChildProcess
}

/** A process is ended at this share of its limit, before the system's out-of-memory killer picks one by itself. */
const memoryShare = 0.95
const memoryCheckMs = 100
const firstRestartMs = 100
const maxRestartMs = 10_000
const defaultHealthyMs = 30_000

/** For a service that is alone in its kind: one that fails at once, again and again, will not come up. */
export const serviceRestarts = { healthyMs: 1_000, mostCrashes: 5 } as const

/**
 * Keeps processes of a program alive: starts again what crashed, with a growing pause, and what grew over the memory limit.
 * A process that ends in order, or for a reason that a new start does not change, is let go. Ends when all are. A process
 * that takes the place of another is told how that one ended.
 */
export function startSupervisor(options: SupervisorOptions): Required<RunningService> {
  const { nodeFlags = [], healthyMs = defaultHealthyMs, mostCrashes = Infinity, spawnNode = spawnBelow } = options
  // What takes the place of another runs as that one did, whatever this program does to its environment meanwhile.
  const inherited = { ...process.env }
  const children = new Set<ChildProcess>()
  const timers = new Set<NodeJS.Timeout>()
  let stopping = false
  let alive = options.count
  let lastCode: number = exitCodes.ok
  let end!: (code: number) => void
  const ended = new Promise<number>((resolve) => (end = resolve))

  let started = 0

  function start(restartMs: number, crashes = 0, predecessor?: PredecessorEnd): void {
    const startedAtMs = Date.now()
    const id = options.mintId()
    // What is alone keeps the name that it was given, as long as it lives.
    const isAlone = options.mostCrashes !== undefined && started === 0
    const instanceId = isAlone ? options.instance : `${options.instance}-${started}`
    started++
    const child = spawnNode([...nodeFlags, options.program, ...options.args], {
      ...inherited,
      COSTATE_SUPERVISED: '1',
      COSTATE_OWNED: '1',
      COSTATE_INSTANCE: instanceId,
      ...supervisedEnv(predecessor ? { id, predecessor } : { id }),
    })
    child.stdin?.on('error', () => undefined)
    children.add(child)
    const watch = watchMemory(child, options)
    child.on('exit', (code, signal) => onExit(code, signal))
    // Without a number it was never there, and says no end.
    child.on('error', () => child.pid === undefined && onExit(null, null))

    function onExit(code: number | null, signal: NodeJS.Signals | null): void {
      children.delete(child)
      watch.stop()
      const wasHealthy = Date.now() - startedAtMs > healthyMs
      const crashesInRow = wasHealthy ? 1 : crashes + 1
      if (!stopping && isWorthRestarting(code) && crashesInRow < mostCrashes) {
        const pauseMs = wasHealthy ? firstRestartMs : restartMs
        const how = endOf(id, code, signal, watch.overLimit)
        const timer = setTimeout(() => {
          timers.delete(timer)
          start(Math.min(maxRestartMs, pauseMs * 2), crashesInRow, how)
        }, pauseMs)
        timers.add(timer)
        return
      }
      lastCode = code ?? exitCodes.crashed
      alive--
      if (alive === 0) end(stopping ? exitCodes.ok : lastCode)
    }
  }

  for (let i = 0; i < options.count; i++) start(firstRestartMs)
  let killer: NodeJS.Timeout | undefined
  const tell = (signal: StopSignal, graceMs: number): void => {
    for (const child of children) child.kill(signal)
    clearTimeout(killer)
    killer = setTimeout(() => {
      for (const child of children) child.kill('SIGKILL')
    }, graceMs)
  }
  return {
    ended,
    stop: async (graceMs, signal = 'SIGTERM') => {
      stopping = true
      for (const timer of timers) clearTimeout(timer)
      alive -= timers.size
      if (alive === 0) end(exitCodes.ok)
      tell(signal, graceMs)
      if (children.size > 0) await ended
      clearTimeout(killer)
    },
    hasten: (graceMs) => tell('SIGTERM', graceMs),
  }
}

/** The child's standard input ends with this process, however this process ends. */
function spawnBelow(args: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
  return spawn(process.execPath, args, { stdio: ['pipe', 'inherit', 'inherit'], env })
}

function isWorthRestarting(code: number | null): boolean {
  return code !== exitCodes.ok && code !== exitCodes.misconfigured && code !== exitCodes.refused
}

function endOf(
  id: string,
  exitCode: number | null,
  signal: NodeJS.Signals | null,
  memory: PredecessorEnd['memory'],
): PredecessorEnd {
  return {
    id,
    ...(exitCode === null ? {} : { exitCode }),
    ...(signal === null ? {} : { signal }),
    ...(memory === undefined ? {} : { memory }),
  }
}

interface MemoryWatch {
  /** What the process had when it was ended for it. */
  readonly overLimit: PredecessorEnd['memory']
  stop(): void
}

function watchMemory(child: ChildProcess, options: SupervisorOptions): MemoryWatch {
  const { memoryLimitBytes: limitBytes, warn = (message) => void process.stderr.write(`${message}\n`) } = options
  let overLimit: PredecessorEnd['memory']
  const check = async (): Promise<void> => {
    const bytes = child.pid === undefined ? undefined : await rssBytesOf(child.pid)
    const isOver = bytes !== undefined && bytes > memoryShare * limitBytes
    if (!isOver || overLimit !== undefined || child.exitCode !== null || child.signalCode !== null) return
    const megabytes = (length: number): string => `${Math.round(length / 1e6)} MB`
    warn(
      `costate worker ${child.pid}: its ${megabytes(bytes)} are over 95 % of the memory limit of ` +
        `${megabytes(limitBytes)}; it is ended and started again, its tasks are queued again`,
    )
    overLimit = { bytes, limitBytes }
    child.kill('SIGKILL')
  }
  const timer = limitBytes > 0 ? setInterval(() => void check(), memoryCheckMs) : undefined
  return {
    get overLimit() {
      return overLimit
    },
    stop: () => clearInterval(timer),
  }
}
