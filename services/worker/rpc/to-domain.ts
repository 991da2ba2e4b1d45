import { taskIdOf, type JobId, type TaskId } from '#libs/domain'
import { type AttemptRef as WireAttemptRef, ProfileKind, type RunTasks } from '#libs/proto'

import type { AttemptRef, TaskOrder } from '../core/state.js'
import { findWanted } from '../objects/input-fetcher.js'

export function attemptToDomain({ taskId, epoch, attempt }: WireAttemptRef): AttemptRef {
  return { taskId: taskId as TaskId, epoch: Number(epoch), attempt }
}

/** Of nearly all tasks: above a rate none is traced by itself. */
const untraced: TaskOrder['trace'] = {}

/** What the scheduler orders; tasks whose job or function the message lacks are left out. */
export function ordersToDomain({ jobs, tasks }: RunTasks): TaskOrder[] {
  const jobTraces = jobs.map(({ trace }) => Object.fromEntries(trace))
  return tasks.flatMap((task): TaskOrder[] => {
    const job = jobs[task.job]
    const called = job?.functions[task.function]
    if (job === undefined || called === undefined) return []
    const { timeout } = task
    const { deadline } = job
    const behind = task.inputs.flatMap(({ madeBy }) => (madeBy ? attemptToDomain(madeBy) : []))
    return [
      {
        taskId: taskIdOf(job.jobId as JobId, task.index),
        epoch: Number(task.epoch),
        attempt: task.attempt,
        jobId: job.jobId,
        index: task.index,
        bundleDigest: called.bundleDigest,
        taskName: called.taskName,
        seed: job.seed,
        input: task.input,
        inputs: findWanted(
          task.input,
          behind.length === 0 ? task.inputs : task.inputs.filter(({ madeBy }) => madeBy === undefined),
        ),
        trace: task.trace.size === 0 ? untraced : Object.fromEntries(task.trace),
        jobTrace: jobTraces[task.job] as TaskOrder['trace'],
        timeoutMs: timeout && millisecondsOf(timeout),
        deadlineMs: deadline && millisecondsOf(deadline),
        gpus: task.gpus,
        ...(job.profile === ProfileKind.CPU && { profile: 'cpu' as const }),
        ...(task.urgent && { urgent: true }),
        ...(behind.length > 0 && { behind }),
      },
    ]
  })
}

function millisecondsOf({ seconds, nanos }: { readonly seconds: bigint; readonly nanos: number }): number {
  return Number(seconds) * 1000 + nanos / 1e6
}
