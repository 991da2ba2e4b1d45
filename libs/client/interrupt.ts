import { readFileSync } from 'node:fs'
import os from 'node:os'

/** What ends with the program. */
export interface Closable {
  close(): Promise<void>
}

const open = new Set<Closable>()
let told = 0

/**
 * Ctrl-C, SIGTERM and the end of the terminal end the clusters that this program made, jobs cancelled; a second Ctrl-C leaves at once. Call the
 * result when the cluster has ended: a program without clusters ends by signals as any other.
 */
export function cancelOnInterrupt(cluster: Closable): () => void {
  if (open.size === 0) for (const signal of (heeded ??= heededSignals())) process.on(signal, leave)
  open.add(cluster)
  return () => {
    open.delete(cluster)
    if (open.size === 0) for (const signal of heeded ?? []) process.off(signal, leave)
  }
}

/** Whether the program has been told to end and is about to exit. */
export function isLeaving(): boolean {
  return told > 0
}

let heeded: readonly NodeJS.Signals[] | undefined

function heededSignals(): readonly NodeJS.Signals[] {
  return isHangupIgnored() ? ['SIGINT', 'SIGTERM'] : ['SIGINT', 'SIGTERM', 'SIGHUP']
}

/** Whoever started the program with nohup wants it to outlive the terminal. Only Linux tells. */
function isHangupIgnored(): boolean {
  try {
    const mask = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'
    return (BigInt(`0x${mask}`) & 1n) === 1n
  } catch {
    return false
  }
}

function leave(signal: NodeJS.Signals): void {
  const code = 128 + os.constants.signals[signal]
  if (++told > 1) process.exit(code)
  // What the program was in the middle of fails now, and that is no news.
  for (const failed of ['uncaughtException', 'unhandledRejection']) process.on(failed, () => undefined)
  process.stderr.write(`costate: ${signal}: ending the cluster; once more leaves at once\n`)
  void Promise.allSettled([...open].map((one) => one.close())).then(() => process.exit(code))
}
