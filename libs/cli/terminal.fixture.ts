import type { Terminal } from './terminal.js'

/** A terminal that remembers what was written. */
export interface RecordedTerminal extends Terminal {
  /** What was printed and told so far, by lines. */
  readonly printed: readonly string[]
  readonly warned: readonly string[]
  /** What was drawn over the whole screen. */
  readonly drawn: readonly string[]
  /** The person before it has seen enough. */
  leave(): void
}

/** A pipe, or a black-and-white terminal with a person before it. */
export function createRecordedTerminal({ isInteractive = false, width = 100, color = false } = {}): RecordedTerminal {
  const printed: string[] = []
  const warned: string[] = []
  const drawn: string[] = []
  let leave: () => void = () => undefined
  const left = new Promise<void>((resolve) => (leave = resolve))
  return {
    width,
    height: isInteractive ? 24 : Infinity,
    isInteractive,
    color,
    print: (text) => void printed.push(...text.split('\n')),
    warn: (text) => void warned.push(...text.split('\n')),
    openScreen: () => ({ draw: (text) => void drawn.push(text), left, close: () => undefined }),
    printed,
    warned,
    drawn,
    leave: () => leave(),
  }
}
