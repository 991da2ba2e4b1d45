import { codecsOfThisCopy } from './codec.js'
import { isTaskContext, type TaskContext } from './context.js'
import { createInlineContext } from './inline-context.js'

/** Every copy of the library marks its tasks with the same symbol: a bundle brings a copy of its own. */
const taskBrand = Symbol.for('costate.task')
const functionBrand = Symbol.for('costate.taskFunction')

export interface TaskOptions {
  /**
   * npm packages with native code that the task needs. They don't travel with the bundle: the worker must have them installed
   * in its working folder or in a folder named by COSTATE_NATIVE_PATH, and says so if it doesn't.
   */
  readonly nativeAddons?: readonly string[]
}

/** @internal What the library itself adds to a task. */
export interface OwnTaskOptions extends TaskOptions {
  readonly properties?: Readonly<Record<symbol, unknown>>
}

/** A declared task. Calling it runs it here, in this process; `submit` runs it on a mesh. */
export interface Task<A extends readonly unknown[], R> {
  /** Runs here with the context given: how workers call a task, and how one task calls another within itself. */
  (...args: [...A, ctx: TaskContext]): Promise<R>
  /** Runs here with an inline context: no mesh, random stream 0 of seed 0, checkpoints in memory. */
  (...args: A): Promise<R>
  readonly taskName: string
  readonly moduleUrl: string
  readonly options: TaskOptions
}

/** A task of any shape. */
export type AnyTask = Task<never, unknown>

/** The arguments of a task function without its context. An optional parameter has to be given: the context comes after it. */
export type TaskArguments<F> = F extends (...args: infer P) => unknown
  ? Required<P> extends infer Q extends readonly unknown[]
    ? Q extends readonly [...infer A, infer Last]
      ? IsContext<Last> extends true
        ? A
        : RefuseRest<Q>
      : RefuseRest<Q>
    : never
  : never

/** What a task function's promise resolves to. */
export type TaskResult<F> = F extends (...args: never) => infer R ? Awaited<R> : never

/**
 * What gives an unannotated `ctx` its type. A function with n parameters sees, at each place, the union over the signatures
 * that have at least n; `never` in all places but the last leaves the context in the last.
 */
export interface TaskFunction {
  (ctx: TaskContext): unknown
  (a: never, ctx: TaskContext): unknown
  (a: never, b: never, ctx: TaskContext): unknown
  (a: never, b: never, c: never, ctx: TaskContext): unknown
  (a: never, b: never, c: never, d: never, ctx: TaskContext): unknown
  (a: never, b: never, c: never, d: never, e: never, ctx: TaskContext): unknown
}

/** `any` says nothing about the parameter: it is an argument. */
type IsContext<X> = 0 extends 1 & X ? false : [X, TaskContext] extends [TaskContext, X] ? true : false
/** A rest parameter would swallow the context, which is passed after the arguments. */
type RefuseRest<Q extends readonly unknown[]> = number extends Q['length'] ? never : Q

/**
 * Declares a task: a function that a mesh can run on any of its workers.
 *
 *     export const solve = task(import.meta, 'solve', async (params: Params, ctx) => …)
 *
 * The function takes any number of arguments, all of them required, and then the context, which it may leave out. Results and
 * arguments are copied between processes: plain data, typed arrays, NdArray, Complex128Array, and what `registerCodec` is for.
 * @param meta `import.meta` of the module that exports the task: it says which module to ship.
 * @param name unique among the tasks that the module exports.
 * @throws TypeError when one of them isn't what it should be.
 */
export function task<F extends CallableFunction | TaskFunction>(
  meta: ImportMeta,
  name: string,
  fn: [TaskArguments<F>] extends [never] ? { refused: 'a task takes no rest parameter: take an array' } : F,
  options: TaskOptions = {},
): Task<TaskArguments<F>, TaskResult<F>> {
  const { properties: own, ...rest } = options as OwnTaskOptions
  if (typeof (meta as ImportMeta | undefined)?.url !== 'string') {
    throw new TypeError(`task(): the first argument must be import.meta, got ${typeof meta}`)
  }
  if (typeof name !== 'string' || name.trim() === '') {
    throw new TypeError(`task(): the second argument must be the task's name, a string, got ${JSON.stringify(name)}`)
  }
  if (typeof fn !== 'function') {
    throw new TypeError(`task(import.meta, '${name}', …): the third argument must be a function, got ${typeof fn}`)
  }
  const run = fn as unknown as (...args: unknown[]) => unknown
  const call = async (...args: unknown[]): Promise<unknown> =>
    isTaskContext(args.at(-1)) ? run(...args) : run(...args, createInlineContext())
  const properties = {
    taskName: name,
    moduleUrl: meta.url,
    options: Object.freeze(rest),
    [taskBrand]: true,
    [functionBrand]: run,
    ...own,
    ...codecsOfThisCopy,
  }
  // `name` of a function is read-only, so that assigning it would throw; in stacks and debuggers it says which task runs.
  Object.defineProperty(call, 'name', { value: name })
  return Object.freeze(Object.assign(call, properties)) as unknown as Task<TaskArguments<F>, TaskResult<F>>
}

/** Whether the value was declared with `task()`, of whichever copy of the library. */
export function isTask(value: unknown): value is AnyTask {
  return typeof value === 'function' && (value as { [taskBrand]?: unknown })[taskBrand] === true
}

/**
 * @internal The function as it was declared, for loops that call it a million times: it takes the context as its last argument,
 * and returns a promise only if it was written so.
 */
export function functionOf<A extends readonly unknown[], R>(
  declared: Task<A, R>,
): (...args: [...A, ctx: TaskContext]) => R | Promise<R> {
  return (declared as unknown as { [functionBrand]: (...args: unknown[]) => R | Promise<R> })[functionBrand]
}
