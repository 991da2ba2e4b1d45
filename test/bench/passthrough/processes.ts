import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

import { connectPassthrough } from './client.js'

const program = fileURLToPath(new URL('./program.ts', import.meta.url))

/** Passthrough streams between this process and another, or between two others; each resolves with the seconds it took. */
export interface PassthroughProcesses extends AsyncDisposable {
  pull(bytes: number): Promise<number>
  push(bytes: number): Promise<number>
  pullBetween(bytes: number): Promise<number>
}

export async function startPassthrough(nowMs: () => number): Promise<PassthroughProcesses> {
  const [near, far] = [start(), start()]
  const [port] = await Promise.all([portOf(near), portOf(far)])
  const passthrough = connectPassthrough(port)
  const timed = async (work: Promise<void>): Promise<number> => {
    const startMs = nowMs()
    await work
    return (nowMs() - startMs) / 1000
  }
  return {
    pull: (bytes) => timed(passthrough.pull(bytes)),
    push: (bytes) => timed(passthrough.push(bytes)),
    pullBetween: async (bytes) => {
      far.send({ port, bytes })
      const [{ seconds }] = (await once(far, 'message')) as [{ seconds: number }]
      return seconds
    },
    [Symbol.asyncDispose]: async () => {
      passthrough.close()
      const ended = [near, far].map((child) => once(child, 'exit'))
      for (const child of [near, far]) child.disconnect()
      await Promise.all(ended)
    },
  }
}

/** With the memory that our services get. */
function start(): ChildProcess {
  const env = { ...process.env, GLIBC_TUNABLES: process.env['GLIBC_TUNABLES'] ?? 'glibc.malloc.hugetlb=1' }
  return fork(program, { execArgv: ['--import', 'tsx'], env })
}

async function portOf(child: ChildProcess): Promise<number> {
  const [{ port }] = (await once(child, 'message')) as [{ port: number }]
  return port
}
