import type { Cluster } from './cluster.js'

const open = new Set<Cluster>()
let listening = false

/** Ctrl-C and SIGTERM end the clusters that this program made, jobs cancelled; a second Ctrl-C leaves at once. */
export function cancelOnInterrupt(cluster: Cluster): void {
  open.add(cluster)
  if (listening) return
  listening = true
  let told = 0
  const leave = (signal: 'SIGINT' | 'SIGTERM'): void => {
    const code = signal === 'SIGINT' ? 130 : 143
    if (++told > 1) process.exit(code)
    process.stderr.write(`costate: ${signal}: ending the cluster; once more leaves at once\n`)
    void Promise.allSettled([...open].map((one) => one.close())).then(() => process.exit(code))
  }
  process.on('SIGINT', () => leave('SIGINT'))
  process.on('SIGTERM', () => leave('SIGTERM'))
}
