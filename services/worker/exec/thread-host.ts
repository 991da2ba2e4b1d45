import { Worker } from 'node:worker_threads'

import type { TaskFailure } from '#libs/domain'

import { failureOf } from './failure-of.js'
import { ClaimBook } from './line-claims.js'
import type { StartHost } from './slot-host.js'
import type { FromSlot } from './slot-messages.js'

/** JavaScript ends within milliseconds; a thread that lives longer is in native code. */
const endMs = 1_000

/** A worker thread: starts in tens of milliseconds, and a busy loop in it can be ended. */
export function createThreadHosts(program: URL): StartHost {
  return (slot, events) => {
    let fate: TaskFailure | undefined
    let stopped = false
    const claims = new ClaimBook()
    let ending: NodeJS.Timeout | undefined
    // What this process was told to preload is not for tasks.
    const worker = new Worker(program, { execArgv: [], name: `slot-${slot}`, workerData: claims.claims })
    worker.on('message', (message: FromSlot) => events.heard(message))
    worker.on('error', (error) => (fate ??= failureOf(error)))
    worker.on('exit', (code) => {
      clearTimeout(ending)
      if (!stopped) events.ended(fate ?? exitOf(code))
    })
    return {
      claims,
      post: (message, transfer = []) => worker.postMessage(message, [...transfer]),
      end: () => {
        ending ??= setTimeout(() => events.stuck(), endMs)
        void worker.terminate()
      },
      stop: async () => {
        stopped = true
        clearTimeout(ending)
        await worker.terminate()
      },
    }
  }
}

function exitOf(code: number): TaskFailure {
  const message = `the task ended its thread with process.exit(${code}): return or throw instead`
  return { kind: 'userError', reason: 'TASK_EXITED', message }
}
