import { exitCodes } from './exit-codes.js'

/** A service that runs: how to end it, and how to hear that it ended by itself. */
export interface RunningService {
  /**
   * Ends in order: refuses new work, finishes or hands over what it has within the grace, closes what it opened. `signal` is
   * how those below it are told.
   */
  stop(graceMs: number, signal?: StopSignal): Promise<void>
  /** While it stops: it has no longer than this from now on. */
  hasten?(graceMs: number): void
  /** Resolves with an exit code when the service ends by itself (a drained worker, a refused one). */
  readonly ended?: Promise<number>
}

/** SIGUSR1 is SLURM's warning ahead of the time limit. */
export type StopSignal = 'SIGTERM' | 'SIGUSR1'

/** How long a service may take to end in order. Kubernetes and SLURM wait longer (30 s) before they kill. */
const stopGraceMs = 10_000
/** A start that does not hear that it is no longer wanted is left behind after so long. */
const startGraceMs = 1_000

/**
 * The life of a service process: starts, stops on SIGTERM, SIGINT, SIGUSR1 or when its owner goes away, and exits with a code that
 * says why. SIGUSR1 comes ahead of the end of a job: COSTATE_NOTICE_MS says by how much; a later SIGTERM hastens the end. With COSTATE_OWNED set, standard input is a pipe from the owner whose end means that the owner is gone.
 * `start` gets a signal that aborts when the process is told to stop before it serves.
 */
export async function runService(name: string, start: (signal: AbortSignal) => Promise<RunningService>): Promise<void> {
  const crash = (error: unknown): never => {
    process.stderr.write(
      `costate ${name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    )
    process.exit(exitCodes.crashed)
  }
  process.on('uncaughtException', crash)
  process.on('unhandledRejection', crash)
  const starting = new AbortController()
  let running: RunningService | undefined
  let isStopping = false
  const told = new Promise<Order>((resolve) => {
    const tell = (): void => {
      resolve({ graceMs: stopGraceMs, signal: 'SIGTERM' })
      if (isStopping) running?.hasten?.(stopGraceMs)
    }
    process.on('SIGTERM', tell)
    process.on('SIGINT', tell)
    // Without a listener Node would open its debugger on a shared host.
    process.on('SIGUSR1', () => resolve({ graceMs: noticeMs(), signal: 'SIGUSR1' }))
    if (process.env['COSTATE_OWNED']) process.stdin.on('end', tell).resume()
  })
  void told.then(() => {
    starting.abort(new Error('told to stop'))
    setTimeout(() => running ?? process.exit(exitCodes.ok), startGraceMs).unref()
  })
  try {
    running = await start(starting.signal)
  } catch (error) {
    if (starting.signal.aborted) process.exit(exitCodes.ok)
    process.stderr.write(`costate ${name} cannot start: ${(error as Error).message}\n`)
    process.exit(exitCodeOf(error))
  }
  const end = await Promise.race([told, running.ended ?? new Promise<number>(() => undefined)])
  const code = typeof end === 'number' ? end : exitCodes.ok
  const { graceMs, signal } = typeof end === 'number' ? { graceMs: stopGraceMs, signal: undefined } : end
  isStopping = true
  // A stop that hangs must not keep the process: the owner counts on its end.
  setTimeout(() => process.exit(code), graceMs + 2_000).unref()
  await running.stop(graceMs, signal)
  process.exit(code)
}

interface Order {
  readonly graceMs: number
  readonly signal: StopSignal
}

/** How long after SIGUSR1 the process will be killed, as far as somebody said. */
function noticeMs(): number {
  const said = Number(process.env['COSTATE_NOTICE_MS'])
  return said > 0 ? said : stopGraceMs
}

/** What a new start does not change: settings that are wrong, data that is damaged or lies where it must not. */
const hopelessErrors: ReadonlySet<string> = new Set(['ConfigError', 'JournalCorruptError', 'JournalRefusedError'])

function exitCodeOf(error: unknown): number {
  if (error instanceof Error) {
    if (hopelessErrors.has(error.name)) return exitCodes.misconfigured
    if (error.name === 'RefusedError') return exitCodes.refused
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return exitCodes.addressInUse
  }
  return exitCodes.crashed
}
