import type { Command } from 'commander'

import type { Terminal } from './terminal.js'

/** Prints what a command found: as JSON when that was asked for, else as the text that `render` makes of it. */
export function report<T>(terminal: Terminal, command: Command, found: T, render: (found: T) => string): void {
  terminal.print(
    isJson(command) ? JSON.stringify(found, undefined, terminal.isInteractive ? 2 : undefined) : render(found),
  )
}

/** Whether JSON was asked for. */
export function isJson(command: Command): boolean {
  return command.optsWithGlobals<{ json?: boolean }>().json === true
}
