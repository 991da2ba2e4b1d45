/** The whole screen of a terminal, until it is closed. */
export interface Screen {
  /** Shows these lines and nothing else. */
  draw(text: string): void
  /** Resolves when the person wants no more: q, Escape or Ctrl-C. */
  readonly left: Promise<void>
  /** Gives back what was there before. */
  close(): void
}

const csi = '\u001b['
const enter = `${csi}?1049h${csi}?25l`
const leave = `${csi}?25h${csi}?1049l`

/** Takes the screen of the process; it is given back also when the process ends without closing it. */
export function openScreen(process: NodeJS.Process): Screen {
  const { stdin, stdout } = process
  let isOpen = true
  let lookAway: () => void = () => undefined
  const left = new Promise<void>((resolve) => (lookAway = resolve))
  const hear = (keys: Buffer): void => {
    // q, Ctrl-C, Ctrl-D, or Escape by itself: with more behind it, it is an arrow or the like.
    if (['q', 'Q', '\u0003', '\u0004', '\u001b'].includes(keys.toString())) lookAway()
  }
  const close = (): void => {
    if (!isOpen) return
    isOpen = false
    stdin.off('data', hear)
    if (stdin.isTTY) stdin.setRawMode(false)
    stdin.pause()
    process.off('exit', close)
    stdout.write(leave)
  }
  stdout.write(enter)
  process.on('exit', close)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => lookAway())
  if (stdin.isTTY) {
    stdin.setRawMode(true)
    stdin.on('data', hear)
  }
  return {
    draw: (text) => {
      const lines = text.split('\n').map((line) => `${line}${csi}K`)
      stdout.write(`${csi}H${lines.join('\r\n')}${csi}J`)
    },
    left,
    close,
  }
}
