/** What ends with the program. */
export interface Closable {
  close(): Promise<void>
}

const open = new Set<Closable>()
let told = 0

/**
 * Ctrl-C and SIGTERM end the clusters that this program made, jobs cancelled; a second Ctrl-C leaves at once. Call the
 * result when the cluster has ended: a program without clusters ends by signals as any other.
 */
export function cancelOnInterrupt(cluster: Closable): () => void {
  if (open.size === 0) for (const signal of signals) process.on(signal, leave)
  open.add(cluster)
  return () => {
    open.delete(cluster)
    if (open.size === 0) for (const signal of signals) process.off(signal, leave)
  }
}

/** Whether the program has been told to end and is about to exit. */
export function isLeaving(): boolean {
  return told > 0
}

const signals = ['SIGINT', 'SIGTERM'] as const

function leave(signal: NodeJS.Signals): void {
  const code = signal === 'SIGINT' ? 130 : 143
  if (++told > 1) process.exit(code)
  process.stderr.write(`costate: ${signal}: ending the cluster; once more leaves at once\n`)
  void Promise.allSettled([...open].map((one) => one.close())).then(() => process.exit(code))
}
