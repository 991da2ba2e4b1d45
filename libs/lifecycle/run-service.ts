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

/**
 * The life of a service process: starts, stops on SIGTERM, SIGINT, SIGUSR1 or when its owner goes away, and exits with a code that
 * says why. With COSTATE_OWNED set, standard input is a pipe from the owner whose end means that the owner is gone.
 */
export async function runService(name: string, start: () => Promise<RunningService>): Promise<void> {
  const crash = (error: unknown): never => {
    process.stderr.write(
      `costate ${name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    )
    process.exit(exitCodes.crashed)
  }
  process.on('uncaughtException', crash)
  process.on('unhandledRejection', crash)
  const told = new Promise<number>((resolve) => {
    process.on('SIGTERM', () => resolve(exitCodes.ok))
    process.on('SIGINT', () => resolve(exitCodes.ok))
    // SLURM's warning before the walltime; without a listener Node would open its debugger on a shared host.
    process.on('SIGUSR1', () => resolve(exitCodes.ok))
    if (process.env['COSTATE_OWNED']) process.stdin.on('end', () => resolve(exitCodes.ok)).resume()
  })
  let running: RunningService
  try {
    running = await start()
  } catch (error) {
    process.stderr.write(`costate ${name} cannot start: ${(error as Error).message}\n`)
    process.exit(exitCodeOf(error))
  }
  const code = await Promise.race([told, running.ended ?? new Promise<number>(() => undefined)])
  // A stop that hangs must not keep the process: the owner counts on its end.
  setTimeout(() => process.exit(code), stopGraceMs + 2_000).unref()
  await running.stop(stopGraceMs)
  process.exit(code)
}

function exitCodeOf(error: unknown): number {
  if (error instanceof Error) {
    if (error.name === 'ConfigError') return exitCodes.misconfigured
    if (error.name === 'RefusedError') return exitCodes.refused
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return exitCodes.addressInUse
  }
  return exitCodes.crashed
}
