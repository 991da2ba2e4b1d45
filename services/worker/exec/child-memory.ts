import type { ChildProcess } from 'node:child_process'

import type { TaskFailure } from '#libs/domain'
import { rssBytesOf } from '#libs/lifecycle'

/** The tasks' processes are ended at this share of the worker's limit, before the system picks one by itself. */
const limitShare = 0.95
const checkMs = 100

/** Watches the resident memory of a worker and the processes of its tasks together. */
export interface ChildMemory {
  watch(child: ChildProcess): void
  /** How the process failed its task when it was ended for its memory. */
  overLimit(child: ChildProcess): TaskFailure | undefined
  /** What all of them had when that was looked at last. */
  readonly bytes: number
  stop(): void
}

/** `limitBytes` is for the worker and the processes of its slots together; 0 for no limit. */
export function createChildMemory(limitBytes: number): ChildMemory {
  const children = new Set<ChildProcess>()
  const ended = new WeakMap<ChildProcess, TaskFailure>()
  let bytes = 0
  let looking = false

  async function look(): Promise<void> {
    if (looking) return
    looking = true
    const sizes = await Promise.all(
      [...children].map(async (child) => ({ child, bytes: (await rssBytesOf(child.pid ?? 0)) ?? 0 })),
    )
    looking = false
    bytes = sizes.reduce((sum, size) => sum + size.bytes, 0)
    if (limitBytes === 0) return
    const hog = findHog(process.memoryUsage.rss(), sizes, limitBytes)
    if (hog === undefined || ended.has(hog.child) || hog.child.exitCode !== null) return
    const message = `the task's process had ${megabytes(hog.bytes)} of the worker's ${megabytes(limitBytes)}: give the workers more memory, or the task less to do at once`
    ended.set(hog.child, { kind: 'outOfMemory', reason: 'MEMORY_LIMIT', message })
    hog.child.kill('SIGKILL')
  }

  let timer: NodeJS.Timeout | undefined
  return {
    watch: (child) => {
      children.add(child)
      timer ??= setInterval(() => void look(), checkMs).unref()
      for (const event of ['exit', 'error']) child.once(event, () => children.delete(child))
    },
    overLimit: (child) => ended.get(child),
    get bytes() {
      return bytes
    },
    stop: () => clearInterval(timer),
  }
}

/**
 * The process that must end: when all together are over the limit, the one that has the most. One that has no more than an
 * equal part is not to blame: then it is the worker that holds too much.
 */
export function findHog<Size extends { readonly bytes: number }>(
  workerBytes: number,
  sizes: readonly Size[],
  limitBytes: number,
): Size | undefined {
  const total = sizes.reduce((sum, { bytes }) => sum + bytes, workerBytes)
  if (total <= limitShare * limitBytes) return undefined
  const [largest] = [...sizes].sort((a, b) => b.bytes - a.bytes)
  return largest && largest.bytes > limitBytes / (sizes.length + 1) ? largest : undefined
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`
}
