import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('./program.ts', import.meta.url))
const piece = Buffer.alloc(256 * 1024, 7)

/** One TCP connection after another to a process elsewhere, of whose bytes nobody keeps or looks at one. */
export interface RawTcp extends AsyncDisposable {
  /** To there; resolves with the seconds until the other end has all of it. */
  push(): Promise<number>
  /** From there. */
  pull(): Promise<number>
}

/** `within` are the words before a command that runs it there, where it listens at `host`. */
export async function startRawTcp(
  within: readonly string[],
  host: string,
  bytes: number,
  nowMs: () => number,
): Promise<RawTcp> {
  const words = [process.execPath, '--import', 'tsx', program, host, String(bytes)]
  const [command = '', ...rest] = [...within, ...words]
  const child: ChildProcess = spawn(command, rest, { stdio: ['pipe', 'pipe', 'inherit'] })
  const [port] = (await once(child.stdout as NonNullable<typeof child.stdout>, 'data')) as [Buffer]

  async function timed(work: (socket: Socket) => Promise<void>): Promise<number> {
    const socket = connect(Number(port.toString()), host)
    await once(socket, 'connect')
    const startMs = nowMs()
    await work(socket)
    socket.destroy()
    return (nowMs() - startMs) / 1000
  }

  return {
    push: () =>
      timed(async (socket) => {
        socket.write('take')
        await once(socket, 'data')
        await Promise.all([give(socket, bytes), once(socket, 'data')])
      }),
    pull: () =>
      timed(async (socket) => {
        socket.write('give')
        await take(socket, bytes)
      }),
    [Symbol.asyncDispose]: async () => {
      const ended = once(child, 'exit')
      child.stdin?.end()
      await ended
    },
  }
}

/** Writes so many bytes, as fast as they are taken. */
export async function give(socket: Socket, bytes: number): Promise<void> {
  for (let left = bytes; left > 0; left -= piece.byteLength) {
    if (!socket.write(left < piece.byteLength ? piece.subarray(0, left) : piece)) await once(socket, 'drain')
  }
}

/** Takes so many bytes, and answers then, if there is something to answer. */
export async function take(socket: Socket, bytes: number, answer?: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    let left = bytes
    socket.on('error', reject)
    socket.on('data', (data) => {
      left -= data.length
      if (left <= 0) resolve()
    })
  })
  if (answer !== undefined) socket.write(answer)
}
