import { isTask, type Task } from '#libs/client'

/** A stage with its name and what it takes. */
export interface NamedStage<R = unknown> {
  /** Unique in the pipeline; the task's name unless given. */
  readonly name?: string
  /** Takes the results of the stages before it, one argument for each. */
  readonly task: Task<never, R>
  /** The stages whose results it takes; the one before it in the list unless given, and the initial data where there is none. */
  readonly after?: string | readonly string[]
}

/** A step of a pipeline: a task that takes the result of the step before, or one that says what it takes. */
export type PipelineStage<R = unknown> = Task<never, R> | NamedStage<R>

/** A stage whose inputs are known. */
export interface PlannedStage {
  readonly name: string
  readonly task: Task<never, unknown>
  /** Indices of stages before it; none for one that takes the initial data. */
  readonly inputs: readonly number[]
}

/** The stages in order, each after what it takes. Throws what `pipeline` throws of its stages. */
export function planStages(stages: readonly PipelineStage[]): PlannedStage[] {
  if (stages.length === 0) throw new RangeError('pipeline: there are no stages: give at least one')
  const planned: PlannedStage[] = []
  for (const [index, stage] of stages.entries()) {
    const { name, task, after } = isTask(stage) ? ({ task: stage } as NamedStage) : stage
    if (!isTask(task)) throw new TypeError(`pipeline: stage ${index} is no task: declare it with task(import.meta, …)`)
    const known = name ?? task.taskName
    if (planned.some((other) => other.name === known)) {
      throw new RangeError(`pipeline: two stages are named ${known}: give one of them another name`)
    }
    planned.push({ name: known, task, inputs: inputsOf(known, after, planned) })
  }
  return planned
}

function inputsOf(name: string, after: NamedStage['after'], before: readonly PlannedStage[]): number[] {
  if (after === undefined) return before.length === 0 ? [] : [before.length - 1]
  return [after].flat().map((other) => {
    const index = before.findIndex((stage) => stage.name === other)
    if (index >= 0) return index
    const known = before.map((stage) => stage.name).join(', ') || 'none'
    throw new RangeError(
      `pipeline: stage ${name} comes after ${other}, which is no stage before it; before it: ${known}`,
    )
  })
}
