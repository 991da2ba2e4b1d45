import { connect, createServer, type Server, type Socket } from 'node:net'
import { once } from 'node:events'

/** A way to a server on which bytes are damaged or cut. */
export interface DamagingProxy {
  /** Where to dial instead of the server. */
  readonly address: string
  /** Connections that were damaged so far. */
  readonly damages: number
  /** Bytes that passed in the direction so far, over all connections. */
  readonly passedBytes: number
  close(): Promise<void>
}

/**
 * Passes TCP connections on to `host:port`. On the first `times` connections that carry more than `afterBytes` in the direction,
 * flips a bit there, or cuts the connection.
 */
export async function damageWay(
  address: string,
  {
    direction,
    afterBytes,
    times,
    by,
  }: {
    readonly direction: 'up' | 'down'
    readonly afterBytes: number
    readonly times: number
    readonly by: 'flip' | 'cut'
  },
): Promise<DamagingProxy> {
  const [host = '', port = ''] = address.split(':')
  let damages = 0
  let passedBytes = 0
  const sockets = new Set<Socket>()
  const server: Server = createServer((near) => {
    const far = connect(Number(port), host)
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        near.destroy()
        far.destroy()
      })
    }
    let passed = 0
    let isDamaged = false
    const damage = (bytes: Buffer): void => {
      const at = afterBytes - passed
      passed += bytes.byteLength
      passedBytes += bytes.byteLength
      if (isDamaged || damages >= times || passed <= afterBytes) return
      isDamaged = true
      damages++
      if (by === 'flip') bytes[Math.max(0, at)]! ^= 0x10
      else near.destroy()
    }
    const pass = (from: Socket, to: Socket, way: 'up' | 'down'): void => {
      from.on('data', (bytes: Buffer) => {
        if (way === direction) damage(bytes)
        if (!to.destroyed && !to.write(bytes)) {
          from.pause()
          to.once('drain', () => from.resume())
        }
      })
    }
    pass(near, far, 'up')
    pass(far, near, 'down')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port: ownPort } = server.address() as { port: number }
  return {
    address: `127.0.0.1:${ownPort}`,
    get damages() {
      return damages
    },
    get passedBytes() {
      return passedBytes
    },
    close: async () => {
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
