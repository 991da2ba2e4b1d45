import { replaced } from '#libs/submission'
import {
  type GatherOptions,
  type Job,
  MeshError,
  raceFutures,
  type SubmitOptions,
  type Submitter,
  type TaskFuture,
  zipArguments,
} from '#libs/task'

import { gatherAll } from './gather.js'
import type { InlineState } from './inline-cluster.js'
import type { InlineSubmission } from './inline-submission.js'
import { calledOf } from './submission.js'

/** As on a mesh, where a setting says it. */
const maxDepth = 1_000

/** What a task of an inline cluster submits: its tasks run one after the other while it waits, and end with it. */
export class InlineChildren {
  readonly #state: InlineState
  readonly #jobs: { readonly job: Job; readonly isDetached: boolean }[] = []
  #isOver = false

  readonly #submitted: (jobId: string) => void
  readonly #start: (state: InlineState, options: SubmitOptions, name: string) => InlineSubmission

  constructor(
    state: InlineState,
    signal: AbortSignal,
    start: (state: InlineState, options: SubmitOptions, name: string) => InlineSubmission,
    submitted: (jobId: string) => void,
  ) {
    this.#submitted = submitted
    this.#start = start
    // A line of their own: that of the cluster goes on when the parent has ended.
    this.#state = { ...state, line: Promise.resolve(), depth: state.depth + 1 }
    signal.addEventListener('abort', () => this.#cancel(), { once: true })
  }

  submitter(options: SubmitOptions = {}): Submitter {
    return {
      submit: (task, ...args) => {
        const submission = this.#begin(task, options)
        const future = submission.add(task, args)
        submission.send()
        return future as never
      },
      map: (task, ...lists) => {
        const calls = zipArguments(lists)
        if (calls.length === 0) return []
        const submission = this.#begin(task, options)
        const futures = calls.map((args) => submission.add(task, args))
        submission.send()
        return futures as never
      },
      with: (others) => this.submitter(replaced(options, others)),
      gather: async (futures: Iterable<TaskFuture<unknown>>, how: GatherOptions = {}) =>
        (await gatherAll([...futures], how)) as never,
      race: async (futures) => await raceFutures([...futures]),
    }
  }

  /** The task is over, and what it submitted with it. */
  close(): void {
    this.#isOver = true
    this.#cancel()
    for (const { job, isDetached } of this.#jobs) if (!isDetached) this.#state.jobs.delete(job.id)
  }

  #begin(task: Parameters<InlineSubmission['add']>[0], options: SubmitOptions): InlineSubmission {
    calledOf(task)
    if (this.#isOver) {
      const message = 'a task that is over cannot submit tasks any more: await what it starts before it returns'
      throw new MeshError('FAILED_PRECONDITION', 'TASK_OVER', message)
    }
    if (this.#state.depth > maxDepth) throw tooDeep(this.#state.depth)
    const submission = this.#start(this.#state, options, task.taskName)
    this.#submitted(submission.job.id)
    this.#jobs.push({ job: submission.job, isDetached: options.detached ?? false })
    return submission
  }

  #cancel(): void {
    for (const { job, isDetached } of this.#jobs) if (!isDetached) void job.cancel()
  }
}

function tooDeep(depth: number): MeshError {
  const message =
    `the tasks would be ${depth} levels deep, at most ${maxDepth} are allowed; does the recursion end? ` +
    'If it does, let the leaves do more themselves'
  return new MeshError('FAILED_PRECONDITION', 'TOO_DEEP', message)
}
