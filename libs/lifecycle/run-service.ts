import { exitCodes } from './exit-codes.js'

/** A service that runs: how to end it, and how to hear that it ended by itself. */
export interface RunningService {
  /** Ends in order: refuses new work, finishes or hands over what it has within the grace, closes what it opened. */
  stop(graceMs: number): Promise<void>
  /** Resolves with an exit code when the service ends by itself (a drained worker, a refused one). */
  readonly ended?: Promise<number>
}

/** How long a service may take to end in order. Kubernetes and SLURM wait longer (30 s) before they kill. */
const stopGraceMs = 10_000
/** A start that does not hear that it is no longer wanted is left behind after so long. */
const startGraceMs = 1_000

/**
 * The life of a service process: starts, stops on SIGTERM, SIGINT, SIGUSR1 or when its owner goes away, and exits with a code that
 * says why. With COSTATE_OWNED set, standard input is a pipe from the owner whose end means that the owner is gone.
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
  const told = new Promise<number>((resolve) => {
    const tell = (): void => resolve(exitCodes.ok)
    process.on('SIGTERM', tell)
    process.on('SIGINT', tell)
    // SLURM's warning before the walltime; without a listener Node would open its debugger on a shared host.
    process.on('SIGUSR1', tell)
    if (process.env['COSTATE_OWNED']) process.stdin.on('end', tell).resume()
  })
  void told.then((code) => {
    starting.abort(new Error('told to stop'))
    setTimeout(() => running ?? process.exit(code), startGraceMs).unref()
  })
  let running: RunningService | undefined
  try {
    running = await start(starting.signal)
  } catch (error) {
    if (starting.signal.aborted) process.exit(exitCodes.ok)
    process.stderr.write(`costate ${name} cannot start: ${(error as Error).message}\n`)
    process.exit(exitCodeOf(error))
  }
  const code = await Promise.race([told, running.ended ?? new Promise<number>(() => undefined)])
  // A stop that hangs must not keep the process: the owner counts on its end.
  setTimeout(() => process.exit(code), stopGraceMs + 2_000).unref()
  await running.stop(stopGraceMs)
  process.exit(code)
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
