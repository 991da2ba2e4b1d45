import { combinator, type Task, type TaskContext } from '#libs/task'

/** A stage that returns nothing is a mistake: what comes after it would compute with nothing. */
export const stageOf = combinator(
  import.meta,
  'stageOf',
  ({ stage }: { stage: Task<readonly unknown[], unknown> }) =>
    async (inputs: readonly unknown[], ctx: TaskContext): Promise<unknown> => {
      const result = await stage(...inputs, ctx)
      if (result === undefined) {
        throw new TypeError(`stage ${stage.taskName} returned nothing: return what the next stage takes, or null`)
      }
      return result
    },
)
