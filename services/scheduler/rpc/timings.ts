import type { JobId } from '#libs/domain'
import { type SchedulerServiceImplementation, type TaskTiming as WireTiming, TaskState } from '#libs/proto'
import { keyIn, numberIn, pageSizeOf, tokenOf } from '#libs/rpc'

import type { State } from '../core/state.js'
import { inputBytesOf, inputsWithin, resultBytesOf, type TaskTiming, TaskTimings } from '../core/timings.js'
import type { Loop } from '../loop.js'
import { findJob } from './jobs.js'
import { jobToWire, taskStateOf } from './to-wire.js'

/** A page ends early where tasks take the results of so many others. */
const mostInputs = 500_000

/** The call that profiles are made of. */
export function createTimingMethods(loop: Loop): Pick<SchedulerServiceImplementation, 'listTaskTimings'> {
  return {
    listTaskTimings: ({ jobId, pageSize, pageToken }) =>
      loop.read((state) => {
        const known = state.jobs.get(jobId as JobId) ?? state.jobs.get(state.persisted.get(jobId) ?? ('' as JobId))
        const number = known?.number ?? loop.notes.numberOf(jobId)
        // The job of a task is forgotten with that task; its story is remembered longer.
        const job = number === undefined ? findJob(state, jobId) : known
        const first = pageToken === '' ? 0 : numberIn(keyIn(pageToken)) + 1
        const end = Math.min(first + pageSizeOf(pageSize), job ? endOfPage(job.tasks, first) : Infinity)
        const timings = new TaskTimings(job, first, end)
        let beyond = job !== undefined && end < job.tasks.length
        loop.notes.visit(number ?? job?.number ?? -1, (index, record) => {
          timings.hear(index, record)
          if (job === undefined && index >= end) beyond = true
        })
        return {
          timings: timings.all().map((timing) => timingToWire(state, timing)),
          nextPageToken: beyond ? tokenOf(String(end - 1)) : '',
          job: job && jobToWire(state, job),
        }
      }),
  }
}

/** The index behind the last task that a page has room for. */
function endOfPage(tasks: readonly { readonly spec: { readonly dependencies: readonly unknown[] } }[], first: number) {
  let inputs = 0
  for (let index = first; index < tasks.length; index++) {
    inputs += tasks[index]?.spec.dependencies.length ?? 0
    if (inputs > mostInputs && index > first) return index
  }
  return tasks.length
}

function timingToWire(state: State, timing: TaskTiming): WireTiming {
  const { index, task, attempt, workerId = '', parkedAtMs: _, ...times } = timing
  const settledAs = timing.settledAtMs > 0 ? TaskState.FINISHED : TaskState.RUNNING
  return {
    ...times,
    ...{ index, attempt, workerId },
    name: task?.spec.name ?? '',
    state: task ? taskStateOf(task) : settledAs,
    slot: task?.status.kind === 'settled' ? task.status.record.slot : 0,
    inputBytes: BigInt(task ? inputBytesOf(state, task) : 0),
    resultBytes: BigInt(task ? resultBytesOf(task) : 0),
    inputs: task ? inputsWithin(task) : [],
  }
}
