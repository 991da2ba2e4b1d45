import type { ClockOffsets } from './clock-offsets.js'
import type { JobTimes, TaskTimes } from './job-times.js'

/** What a task spends its time with, in the order in which it comes to it. */
export const phaseNames = [
  'waiting',
  'retries',
  'queue',
  'dispatch',
  'transfer',
  'compute',
  'children',
  'report',
] as const

/**
 * - `waiting`: until its inputs were made, from the submit;
 * - `retries`: attempts before the last one, and the waits between them;
 * - `queue`: ready, until it was sent to a worker;
 * - `dispatch`: on the way to the worker, and there in line behind what was sent before;
 * - `transfer`: its worker brought its inputs;
 * - `compute`: its code ran;
 * - `children`: it waited, without its slot, for tasks that it submitted;
 * - `report`: until the scheduler had recorded its end.
 */
export type PhaseName = (typeof phaseNames)[number]

/** Milliseconds by phase; a task that was sent by a scheduler which forgot that has none of `queue` and `dispatch`. */
export interface TaskPhases {
  readonly ms: Readonly<Record<PhaseName, number>>
  /** Whether all of them are known: together they are then the time from the submit to the settle. */
  readonly isWhole: boolean
  /** By the scheduler's clock. */
  readonly startedAtMs: number
  readonly endedAtMs: number
}

/** The phases of the tasks of a job that ran; nothing for others. */
export function phasesOfTasks(job: JobTimes, offsets: ClockOffsets): (TaskPhases | undefined)[] {
  const byIndex = new Map(job.tasks.map((task) => [task.index, task]))
  return job.tasks.map((task) => phasesOf(task, job, byIndex, offsets))
}

function phasesOf(
  task: TaskTimes,
  job: JobTimes,
  byIndex: ReadonlyMap<number, TaskTimes>,
  offsets: ClockOffsets,
): TaskPhases | undefined {
  if (task.startedAtMs === 0 || task.endedAtMs === 0) return undefined
  const offsetMs = offsets.get(task.workerId) ?? 0
  const endedAtMs = task.endedAtMs - offsetMs
  const startedAtMs = Math.min(task.startedAtMs - offsetMs, endedAtMs)
  const isWhole = task.sentAtMs > 0 && task.readyAtMs > 0 && job.submittedAtMs > 0
  // A task may be sent ahead to the worker that makes its inputs: it is ready when they are made.
  let inputsEndedAtMs = 0
  for (const index of task.inputs) inputsEndedAtMs = Math.max(inputsEndedAtMs, endOf(byIndex.get(index), offsets))
  const readyAtMs = Math.min(Math.max(task.readyAtMs, inputsEndedAtMs), startedAtMs)
  const firstReadyAtMs = task.attempt > 1 ? Math.min(task.firstReadyAtMs, readyAtMs) : readyAtMs
  const sentAtMs = Math.min(Math.max(task.sentAtMs, readyAtMs), startedAtMs)
  const transferMs = isWhole ? Math.min(task.fetchMs, startedAtMs - sentAtMs) : task.fetchMs
  const parkedMs = Math.min(task.parkedMs, endedAtMs - startedAtMs)
  const known = (ms: number): number => (isWhole ? Math.max(0, ms) : 0)
  return {
    ms: {
      waiting: known(firstReadyAtMs - job.submittedAtMs),
      retries: known(readyAtMs - firstReadyAtMs),
      queue: known(sentAtMs - readyAtMs),
      dispatch: known(startedAtMs - sentAtMs - transferMs),
      transfer: transferMs,
      compute: endedAtMs - startedAtMs - parkedMs,
      children: parkedMs,
      report: known(task.settledAtMs - endedAtMs),
    },
    isWhole,
    startedAtMs,
    endedAtMs,
  }
}

function endOf(task: TaskTimes | undefined, offsets: ClockOffsets): number {
  return task === undefined || task.endedAtMs === 0 ? 0 : task.endedAtMs - (offsets.get(task.workerId) ?? 0)
}
