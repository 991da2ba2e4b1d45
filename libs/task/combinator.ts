import {
  type AnyTask,
  isTask,
  type OwnTaskOptions,
  type Task,
  task,
  type TaskArguments,
  type TaskResult,
} from './task.js'

/** Every copy of the library marks what it makes of other tasks with the same symbol: a bundle brings a copy of its own. */
const compositionBrand = Symbol.for('costate.composition')

/** Tasks that another one is made of, by what they are to it. */
export type Parts = Readonly<Record<string, AnyTask>>

/** What a task is made of: enough to make it again where its bundle is loaded. */
export interface Composition {
  /** The module that exports the combinator, under the combinator's name. */
  readonly moduleUrl: string
  readonly combinator: string
  readonly parts: Parts
}

/**
 * Declares how a task is made of others, which it calls within itself, in one place and in one attempt: a batch of samples, the
 * fold of a cross-validation. Tasks may come from different modules; they travel as one bundle.
 *
 *     export const twice = combinator(import.meta, 'twice', ({ step }: { step: Task<[number], number> }) =>
 *       async (x: number, ctx: TaskContext) => step(await step(x, ctx), ctx))
 *     cluster.submit(twice({ step: increment }), 1)
 *
 * @param meta `import.meta` of the module that exports the combinator.
 * @param name under which the module exports it.
 * @param build makes the function of a task of its parts; it is called where the task is declared and where it runs.
 */
export function combinator<P extends Parts, F extends CallableFunction>(
  meta: ImportMeta,
  name: string,
  build: (parts: P) => F,
): (parts: P) => Task<TaskArguments<F>, TaskResult<F>> {
  const { url } = meta
  return (parts) => {
    const made = Object.entries(parts)
    const [first] = made
    if (first === undefined) throw new TypeError(`${name}: there is no task to make it of`)
    for (const [part, value] of made) {
      if (!isTask(value)) throw new TypeError(`${name}: its part ${part} must be a task, got ${typeof value}`)
    }
    const composition: Composition = { moduleUrl: url, combinator: name, parts }
    // Stacks and messages speak of the user's tasks: the first one's module stands for all.
    const options: OwnTaskOptions = {
      nativeAddons: [...new Set(made.flatMap(([, part]) => part.options.nativeAddons ?? []))],
      properties: { [compositionBrand]: composition },
    }
    const taskName = `${name}(${made.map(([, part]) => part.taskName).join(', ')})`
    return task({ url: first[1].moduleUrl } as ImportMeta, taskName, build(parts) as never, options)
  }
}

/** What the task is made of; nothing for one that stands for itself. */
export function compositionOf(value: AnyTask): Composition | undefined {
  return (value as { [compositionBrand]?: Composition })[compositionBrand]
}

/** @internal The task of that name among a module's exports, for the entry of a bundle. */
export function exportedTask(exports: Readonly<Record<string, unknown>>, taskName: string, module: string): AnyTask {
  const found = Object.values(exports).find((value) => isTask(value) && value.taskName === taskName)
  if (isTask(found)) return found
  const message = `${module} exports no task named '${taskName}': a task must be exported from the module that declares it`
  throw new Error(message)
}
