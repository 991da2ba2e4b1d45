import { createRng } from '#libs/domain'
import { combinator, ContextWithin, type Task, type TaskContext } from '#libs/task'

/** An input with the random stream that is its own wherever it stands among the others. */
export interface StreamedInput {
  readonly input: unknown
  readonly seed: bigint
}

/** Runs a task on an input with random numbers that follow from the input's content, and not from its place in a job. */
export const withOwnStream = combinator(
  import.meta,
  'withOwnStream',
  ({ task }: { task: Task<[unknown], unknown> }) =>
    async ({ input, seed }: StreamedInput, ctx: TaskContext): Promise<unknown> =>
      task(input, new ContextWithin(ctx, createRng(seed, 0), (fraction, detail) => ctx.progress(fraction, detail))),
)
