import { Command } from 'commander'

import { nearestName } from './nearest-name.js'

export interface DemoFlags {
  readonly inline: boolean
  readonly reduced: boolean
  readonly json: boolean
  /** The run folder; one of its own below `.costate/runs` unless given. */
  readonly out?: string
}

/** What the command line asks for. */
export type DemoCall =
  | { readonly kind: 'run'; readonly name: string; readonly flags: DemoFlags }
  | { readonly kind: 'list' }
  | { readonly kind: 'refuse'; readonly message: string }

const wrongUsage = 2

/** Reads the command line. Prints help or what is wrong with a flag, and ends the process, when there is nothing to run. */
export function readCall(argv: readonly string[], names: readonly string[]): DemoCall {
  const command = new Command('demo')
    .description('Runs one of the demos and says whether it came out right; without a name, lists them.')
    .argument('[name]', 'which demo')
    .option('--inline', 'in this process, without a cluster', false)
    .option('--reduced', 'less work, as in tests', false)
    .option('--json', 'the result on standard output as JSON', false)
    .option('--out <folder>', 'run folder (default: a new one in .costate/runs)')
    .allowExcessArguments(false)
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : wrongUsage))
    .parse(argv)
  const name = command.args[0]
  if (name === undefined) return { kind: 'list' }
  if (names.includes(name)) return { kind: 'run', name, flags: command.opts<DemoFlags>() }
  const message = `there is no demo '${name}'; did you mean ${nearestName(name, names)}? There are: ${names.join(', ')}`
  return { kind: 'refuse', message }
}
