import { type Command, CommanderError } from 'commander'
import { createColors } from 'picocolors'

import { type ExitCode, exitCodes, failureOf } from './cli-error.js'
import type { Terminal } from './terminal.js'

/** Runs the command that the arguments name; failures are told on the terminal. The result is the exit code. */
export async function runProgram(program: Command, args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  try {
    await program.parseAsync(args, { from: 'user' })
    return exitCodes.ok
  } catch (error) {
    // Commander has told what is wrong with the arguments, or has printed the help or version that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
    const { exitCode, reason, message } = failureOf(error)
    const { json } = program.opts<{ json?: boolean }>()
    const plain = `${createColors(terminal.color).red('costate:')} ${message}`
    terminal.warn(json ? JSON.stringify({ error: { exitCode, reason, message } }) : plain)
    return exitCode
  }
}
