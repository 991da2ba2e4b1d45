import { Worker } from 'node:worker_threads'

/** Where a child finds the pipe whose end means that the worker is gone. */
export const parentPipe = 3

// A thread that runs no user code: it sees the end of the worker also while a task keeps the process busy. What the task
// started goes with it: the process leads a group of its own.
const watch = `
  const { Socket } = require('node:net')
  const pipe = new Socket({ fd: ${parentPipe}, readable: true, writable: false })
  pipe.on('error', () => undefined)
  pipe.on('close', () => process.kill(-process.pid, 'SIGKILL'))
  pipe.resume()
`

/** Ends this process when its worker ends, however that ends and whatever runs here. */
export function endWithParent(): void {
  const watcher = new Worker(watch, {
    eval: true,
    execArgv: [],
    name: 'parent-watch',
    resourceLimits: { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 1 },
  })
  watcher.on('error', () => undefined)
  watcher.unref()
}
