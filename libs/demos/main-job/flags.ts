import { availableParallelism } from 'node:os'
import { Command, InvalidArgumentError } from 'commander'
import { fewestProblems } from './problems.js'

export interface MainJobFlags {
  readonly workers: number
  readonly threadsPerWorker: number
  readonly problems: number
  readonly seed: number
  /** The run folder; one of its own below `.costate/runs` unless given. */
  readonly out?: string
  /** Whether it is sampled where processor time goes. */
  readonly profile?: boolean
  /** Whether the sweep is solved again from neighbours' solutions. */
  readonly warmStart?: boolean
}

const wrongUsage = 2

/** Reads the command line. Prints help or what is wrong with a flag, and ends the process, when there is nothing to run. */
export function readFlags(argv: readonly string[]): MainJobFlags {
  const command = new Command('main-job')
    .description('Solves a sweep of optimal-control problems on all cores of this machine and checks every answer.')
    .option('--workers <count>', 'worker processes', wholeNumber(1, 256), availableParallelism())
    .option('--threads-per-worker <count>', 'tasks that a worker runs at once', wholeNumber(1, 256), 1)
    .option('--problems <count>', 'problems to solve', wholeNumber(fewestProblems, 100_000), 240)
    .option('--seed <number>', 'seed of the random guesses', wholeNumber(0, Number.MAX_SAFE_INTEGER), 1)
    .option('--profile', 'sample where processor time goes, for a flame graph in the report')
    .option('--warm-start', "solve the sweep again, each problem from its nearest neighbour's solution, and compare")
    .option('--out <folder>', 'run folder (default: a new one in .costate/runs)')
    .allowExcessArguments(false)
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : wrongUsage))
  return command.parse(argv).opts<MainJobFlags>()
}

function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d+$/.test(text) && value >= least && value <= most) return value
    throw new InvalidArgumentError(`give a whole number from ${least} to ${most}`)
  }
}
