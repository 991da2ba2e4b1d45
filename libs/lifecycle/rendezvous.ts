import { watch } from 'node:fs'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import path from 'node:path'

/** Where a service of a mesh listens. */
export interface ServiceAddress {
  /** Addresses (host:port), best first. */
  readonly addresses: readonly string[]
  readonly pid: number
}

/** Tells the processes that share the mesh folder where a service listens: `<meshDir>/addresses/<service>.json`, 0600. */
export async function writeAddress(meshDir: string, service: string, address: ServiceAddress): Promise<void> {
  const file = fileOf(meshDir, service)
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 })
  const temporary = `${file}.${process.pid}`
  await writeFile(temporary, JSON.stringify(address), { mode: 0o600 })
  await rename(temporary, file)
}

/** Where the service listens, or nothing when it has not said so yet. */
export async function readAddress(meshDir: string, service: string): Promise<ServiceAddress | undefined> {
  try {
    return JSON.parse(await readFile(fileOf(meshDir, service), 'utf8')) as ServiceAddress
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** How often the file is looked for where changes are not announced (network file systems). */
const recheckMs = 250

/**
 * Waits until the service has said where it listens. Rejects with the signal's reason, and when the mesh folder is gone: who
 * waits longer than the mesh lives must not make it again.
 */
export async function waitForAddress(meshDir: string, service: string, signal: AbortSignal): Promise<ServiceAddress> {
  const directory = path.dirname(fileOf(meshDir, service))
  await mkdir(directory, { mode: 0o700 }).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  })
  let look: () => void = () => undefined
  const watcher = watch(directory, () => look())
  watcher.on('error', () => undefined)
  const timer = setInterval(() => look(), recheckMs)
  const stop = (): void => look()
  signal.addEventListener('abort', stop)
  try {
    for (;;) {
      const changed = new Promise<void>((resolve) => (look = resolve))
      const address = await readAddress(meshDir, service)
      if (address) return address
      signal.throwIfAborted()
      await changed
    }
  } finally {
    clearInterval(timer)
    signal.removeEventListener('abort', stop)
    watcher.close()
  }
}

function fileOf(meshDir: string, service: string): string {
  return path.join(meshDir, 'addresses', `${service}.json`)
}
