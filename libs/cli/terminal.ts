import { isatty } from 'node:tty'

import { openScreen, type Screen } from './screen.js'

/** Where a command writes to. */
export interface Terminal {
  /** Columns; for a file or a pipe what COLUMNS says. */
  readonly width: number
  /** Lines; as many as there are for a file or a pipe. */
  readonly height: number
  /** Whether a person looks at it: tables are laid out for eyes, else for programs. */
  readonly isInteractive: boolean
  readonly color: boolean
  /** A line, or several, of what was asked for. */
  print(text: string): void
  /** A line about what went wrong. */
  warn(text: string): void
  /** Takes the whole screen, for a view that is drawn over and over. */
  openScreen(): Screen
}

const defaultWidth = 120

/** The terminal, file or pipe that a process writes to. */
export function terminalOf(process: NodeJS.Process): Terminal {
  const { stdout, stderr, env } = process
  // A reader such as `head` that has seen enough is no failure.
  stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
  // `isTTY` of a pipe is undefined, which a default value downstream would take for «not said».
  const isInteractive = isatty(stdout.fd)
  return {
    // Asked each time: a window changes its size while it is looked at.
    get width() {
      return isInteractive ? stdout.columns : Number(env['COLUMNS']) || defaultWidth
    },
    get height() {
      return isInteractive ? stdout.rows : Infinity
    },
    isInteractive,
    color: isInteractive && !env['NO_COLOR'] && env['TERM'] !== 'dumb',
    print: (text) => void stdout.write(`${text}\n`),
    warn: (text) => void stderr.write(`${text}\n`),
    openScreen: () => openScreen(process),
  }
}
