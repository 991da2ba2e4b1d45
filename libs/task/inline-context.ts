import { createRng } from '#libs/domain'
import { CheckpointPace } from './checkpoint-pace.js'
import type { CheckpointInfo, SavedCheckpoint, TaskCheckpoint, TaskContext, TaskLog } from './context.js'
import type { Submitter } from './submitter.js'
import { MeshError } from './task-error.js'

/** What an inline context says about its task; the rest has defaults. */
export interface InlineContextOptions {
  taskId?: string
  jobId?: string
  taskIndex?: number
  attempt?: number
  devices?: readonly number[]
  signal?: AbortSignal
  deadline?: Date
  /** The job's seed, 0 unless told: a call without a mesh draws the same numbers every time. */
  seed?: bigint | number
  progress?: TaskContext['progress']
  log?: TaskLog
  checkpoint?: TaskCheckpoint
  /** Where the task submits tasks; without a cluster it cannot. */
  submitter?: Submitter
}

/**
 * A context for running a task in this process, without a mesh: logs go to the console, progress goes nowhere, checkpoints
 * live as long as the context.
 */
export function createInlineContext(options: InlineContextOptions = {}): TaskContext {
  const taskIndex = options.taskIndex ?? 0
  const signal = options.signal ?? new AbortController().signal
  return {
    ...(options.submitter ?? noCluster),
    taskId: options.taskId ?? 'inline',
    jobId: options.jobId ?? 'inline',
    taskIndex,
    attempt: options.attempt ?? 1,
    devices: options.devices ?? [],
    signal,
    deadline: options.deadline,
    progress: options.progress ?? (() => undefined),
    log: options.log ?? consoleLog,
    rng: createRng(options.seed ?? 0, taskIndex),
    checkpoint: options.checkpoint ?? createMemoryCheckpoint(signal),
  }
}

function refuse(): never {
  const message =
    'the task was called by itself, without a cluster, so that it cannot submit tasks: submit it to createInlineCluster(), ' +
    'or give createInlineContext() a submitter'
  throw new MeshError('FAILED_PRECONDITION', 'NO_CLUSTER', message)
}

const noCluster: Submitter = { submit: refuse, map: refuse, with: refuse, gather: refuse, race: refuse }

const consoleLog: TaskLog = {
  debug: (message, fields) => console.debug(message, ...listFields(fields)),
  info: (message, fields) => console.info(message, ...listFields(fields)),
  warn: (message, fields) => console.warn(message, ...listFields(fields)),
  error: (message, fields) => console.error(message, ...listFields(fields)),
}

function listFields(fields: Record<string, unknown> | undefined): unknown[] {
  return fields === undefined ? [] : [fields]
}

/** A checkpoint in memory. States are cloned both ways, so that a task can't come to depend on sharing them. */
function createMemoryCheckpoint(signal: AbortSignal): TaskCheckpoint {
  const pace = new CheckpointPace(performance.now())
  let saved: { state: unknown; version: number; info: CheckpointInfo } | undefined
  return {
    save: async (state, info = {}) => {
      if (!pace.isDue(info, performance.now(), signal.aborted)) return
      saved = { state: structuredClone(state), version: (saved?.version ?? 0) + 1, info }
    },
    load: async <T>(): Promise<SavedCheckpoint<T> | undefined> => {
      pace.resumeAt(performance.now(), saved?.info.iteration)
      if (saved === undefined) return undefined
      const { iteration, cost, labels = {} } = saved.info
      return {
        state: structuredClone(saved.state) as T,
        version: saved.version,
        ...(iteration !== undefined && { iteration }),
        ...(cost !== undefined && { cost }),
        labels: { ...labels },
      }
    },
  }
}
