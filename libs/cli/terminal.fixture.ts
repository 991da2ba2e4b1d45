import type { Terminal } from './terminal.js'

/** A terminal that remembers what was written. */
export interface RecordedTerminal extends Terminal {
  /** What was printed and told so far, by lines. */
  readonly printed: readonly string[]
  readonly warned: readonly string[]
}

/** A pipe, or a black-and-white terminal with a person before it. */
export function createRecordedTerminal({ isInteractive = false } = {}): RecordedTerminal {
  const printed: string[] = []
  const warned: string[] = []
  return {
    width: 100,
    isInteractive,
    color: false,
    print: (text) => void printed.push(...text.split('\n')),
    warn: (text) => void warned.push(...text.split('\n')),
    printed,
    warned,
  }
}
