import { fork } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import type { Duplex } from 'node:stream'
import { fileURLToPath } from 'node:url'

import { receiveThrough, sendThrough } from './ring.js'

const program = fileURLToPath(new URL('./program.ts', import.meta.url))

/** A bare ring in shared memory between this process and another, from memory that was used before into such memory. */
export interface RingProcesses extends AsyncDisposable {
  /** To the other process; resolves with the seconds it took. */
  push(): Promise<number>
  /** From there. */
  pull(): Promise<number>
}

export async function startRing(bytes: number, nowMs: () => number): Promise<RingProcesses> {
  const file = `/dev/shm/costate-bench-ring-${process.pid}`
  const fd = fs.openSync(file, 'w+', 0o600)
  const child = fork(program, [file, String(bytes)], {
    execArgv: ['--import', 'tsx'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc', 'pipe'],
  })
  await once(child, 'message')
  fs.rmSync(file)
  const channel = child.stdio[4] as Duplex
  const body = new Uint8Array(bytes).fill(1)
  const timed = async (theirs: 'send' | 'receive', ours: () => Promise<void>): Promise<number> => {
    const done = once(child, 'message')
    const startMs = nowMs()
    child.send(theirs)
    await Promise.all([ours(), done])
    return (nowMs() - startMs) / 1000
  }
  return {
    push: () => timed('receive', () => sendThrough(fd, channel, body)),
    pull: () => timed('send', () => receiveThrough(fd, channel, body)),
    [Symbol.asyncDispose]: async () => {
      const ended = once(child, 'exit')
      child.disconnect()
      await ended
      fs.closeSync(fd)
    },
  }
}
