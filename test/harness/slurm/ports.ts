import { once } from 'node:events'
import { createServer, type Server } from 'node:net'

/** A row of ports on loopback that nobody else has, as long as it is held. */
export interface PortRow {
  readonly first: number
  readonly count: number
  /** Lets others have them. */
  release(): Promise<void>
}

const lowest = 16_800
// Above it ports are given to whoever dials out.
const highest = 32_000
const step = 64

/**
 * Holds `count` ports in a row for the daemons of a cluster, which may end and start again on them. Port numbers are in their
 * configuration, so that they cannot be left to the system. What makes a row ours is a port that this process itself listens
 * on: two test runs at once never get the same row, and a run that dies gives it back.
 */
export async function holdPorts(count: number): Promise<PortRow> {
  if (count >= step) throw new RangeError(`${count} ports are more than a row has; at most ${step - 1}`)
  for (let first = lowest; first + step <= highest; first += step) {
    const lock = await listen(first)
    if (lock === undefined) continue
    if (await areFree(first + 1, count)) {
      lock.unref()
      return { first: first + 1, count, release: () => close(lock) }
    }
    await close(lock)
  }
  throw new Error(`no ${count} ports in a row are free between ${lowest} and ${highest}`)
}

async function areFree(first: number, count: number): Promise<boolean> {
  for (let port = first; port < first + count; port++) {
    const server = await listen(port)
    if (server === undefined) return false
    await close(server)
  }
  return true
}

async function listen(port: number): Promise<Server | undefined> {
  const server = createServer()
  server.listen({ port, host: '127.0.0.1', exclusive: true })
  try {
    await once(server, 'listening')
    return server
  } catch {
    return undefined
  }
}

async function close(server: Server): Promise<void> {
  await new Promise<void>((resolve) => server.close(() => resolve()))
}
