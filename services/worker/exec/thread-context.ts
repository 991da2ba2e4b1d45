import { format } from 'node:util'

import { createRng } from '#libs/domain'
import type { SavedCheckpoint, TaskCheckpoint, TaskContext, TaskLog } from '#libs/task'
import { copySegments, decodeValue, encodeValue } from '#libs/value'

import { callMain } from './thread-calls.js'
import type { CheckpointCall, FromThread, LoadedCheckpoint, ThreadTask } from './thread-messages.js'

type Say = (message: FromThread, transfer?: readonly ArrayBuffer[]) => void

/** Progress that comes faster than this is thinned out. */
const progressIntervalMs = 50

/** What the task gets as its last argument. */
export function createThreadContext(task: ThreadTask, signal: AbortSignal, say: Say): TaskContext {
  const { taskId, jobId, index, attempt, timeoutMs, seed } = task
  let reportedAtMs = -Infinity
  return {
    taskId,
    jobId,
    taskIndex: index,
    attempt,
    signal,
    deadline: timeoutMs === undefined ? undefined : new Date(Date.now() + timeoutMs),
    progress: (fraction, detail = {}) => {
      const nowMs = performance.now()
      if (nowMs - reportedAtMs < progressIntervalMs && fraction < 1) return
      reportedAtMs = nowMs
      say({ kind: 'progress', taskId, fraction, ...detail })
    },
    log: createLog(task, say),
    rng: createRng(seed, index),
    checkpoint: createCheckpoint(taskId, say),
  }
}

function createLog({ taskId, attempt }: ThreadTask, say: Say): TaskLog {
  const write =
    (level: string) =>
    (message: string, fields?: Record<string, unknown>): void => {
      const text = fields === undefined ? message : format(message, fields)
      say({ kind: 'log', line: { taskId, attempt, level, text, atMs: Date.now() } })
    }
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}

function createCheckpoint(taskId: string, say: Say): TaskCheckpoint {
  const ask = (call: CheckpointCall, transfer: readonly ArrayBuffer[] = []): Promise<unknown> =>
    callMain((callId) => say({ kind: 'checkpoint', callId, taskId, call }, transfer))
  return {
    save: async (state, info = {}) => {
      const encoded = encodeValue(state, `the checkpoint of task ${taskId}`)
      const bytes = copySegments(encoded)
      await ask({ kind: 'save', structure: encoded.root, bytes, info }, [bytes.buffer])
    },
    load: async <T = unknown>(): Promise<SavedCheckpoint<T> | undefined> => {
      const loaded = (await ask({ kind: 'load' })) as LoadedCheckpoint | undefined
      if (loaded === undefined) return undefined
      const { structure, bytes, ...rest } = loaded
      return { ...rest, state: decodeValue(structure, bytes, { view: true }) as T }
    },
  }
}
