import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('./link-program.ts', import.meta.url))
const processes = 2

/** Links so many workers to the scheduler of the mesh, from two processes. Disposed of, they leave. */
export async function linkWorkers(meshDir: string, count: number): Promise<AsyncDisposable> {
  const children = Array.from({ length: processes }, () =>
    fork(program, [meshDir, String(count / processes)], { execArgv: ['--import', 'tsx'] }),
  )
  const leave = async (): Promise<void> => {
    await Promise.all(
      children.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return
        const exited = once(child, 'exit')
        if (child.connected) child.disconnect()
        await exited
      }),
    )
  }
  try {
    await Promise.all(
      children.map((child) => {
        const ended = once(child, 'exit').then(() => {
          throw new Error('a process with links ended before they were open')
        })
        ended.catch(() => undefined)
        return Promise.race([once(child, 'message'), ended])
      }),
    )
  } catch (error) {
    await leave()
    throw error
  }
  return { [Symbol.asyncDispose]: leave }
}
