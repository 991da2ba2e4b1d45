import { expect, expectTypeOf, test, vi } from 'vitest'
import type { TaskContext } from './context.js'
import { createInlineContext } from './inline-context.js'
import { isTask, task, type AnyTask, type Task } from './task.js'

interface Params {
  readonly bound: number
}
type Future<R> = { readonly result: R }
type Given<A> = { [K in keyof A]: A[K] | Future<A[K]> }
/** As the SDK declares it. */
declare function submit<A extends readonly unknown[], R>(task: Task<A, R>, ...args: Given<A>): Future<R>

test('a task that is called runs here, with a context of its own', async () => {
  const solve = task(import.meta, 'solve', async ({ bound }: Params, ctx) => [bound, ctx.taskId, ctx.attempt])

  expect(await solve({ bound: 3 })).toEqual([3, 'inline', 1])
})

test('a task that is called with a context runs with that one', async () => {
  const solve = task(import.meta, 'solve', async ({ bound }: Params, ctx) => [bound, ctx.taskId])

  expect(await solve({ bound: 3 }, createInlineContext({ taskId: 'job-1/7' }))).toEqual([3, 'job-1/7'])
})

test('a task takes none or several arguments, and the context after them', async () => {
  const none = task(import.meta, 'none', (ctx) => ctx.taskIndex)
  const three = task(import.meta, 'three', (a: number, b: string, c: Float64Array, ctx) => [a, b, c, ctx.taskIndex])

  expect(await none()).toBe(0)
  expect(await three(1, 'two', new Float64Array([3]))).toEqual([1, 'two', new Float64Array([3]), 0])
})

test('what a synchronous task throws rejects its promise', async () => {
  const diverge = task(import.meta, 'diverge', () => {
    throw new RangeError('step 7: the state left the domain')
  })

  await expect(diverge()).rejects.toThrow(RangeError('step 7: the state left the domain'))
})

test('a task says its name, its module and its options', () => {
  const solve = task(import.meta, 'solve', () => 0, { nativeAddons: ['lapack'] })

  expect(solve.taskName).toBe('solve')
  expect(solve.moduleUrl).toBe(import.meta.url)
  expect(solve.options).toEqual({ nativeAddons: ['lapack'] })
})

test('a task is recognised through another copy of the library', async () => {
  vi.resetModules()
  const copy = await import('./task.js')

  expect(copy.isTask).not.toBe(isTask)
  expect(isTask(copy.task(import.meta, 'solve', () => 0))).toBe(true)
  expect(isTask(() => 0)).toBe(false)
  expect(isTask(undefined)).toBe(false)
})

test('a declaration with the wrong arguments says which', () => {
  const url = import.meta.url as unknown as ImportMeta

  expect(() => task(url, 'solve', () => 0)).toThrow('the first argument must be import.meta, got string')
  expect(() => task(import.meta, ' ', () => 0)).toThrow(
    'the second argument must be the task\'s name, a string, got " "',
  )
  expect(() => task(import.meta, 'solve', Promise.resolve() as never)).toThrow('the third argument must be a function')
})

test('types: arguments and result are inferred, with or without a context', () => {
  const none = task(import.meta, 'none', () => 1)
  expectTypeOf(none).toEqualTypeOf<Task<[], number>>()
  const onlyContext = task(import.meta, 'onlyContext', (ctx) => {
    expectTypeOf(ctx).toEqualTypeOf<TaskContext>()
    return ctx.taskId
  })
  expectTypeOf(onlyContext).toEqualTypeOf<Task<[], string>>()
  const one = task(import.meta, 'one', (params: Params) => params.bound)
  expectTypeOf(one).toEqualTypeOf<Task<[params: Params], number>>()
  const oneAndContext = task(import.meta, 'oneAndContext', async (params: Params, ctx) => {
    expectTypeOf(ctx).toEqualTypeOf<TaskContext>()
    return { cost: params.bound }
  })
  expectTypeOf(oneAndContext).toEqualTypeOf<Task<[params: Params], { cost: number }>>()
  const annotated = task(import.meta, 'annotated', (params: Params, _ctx: TaskContext) => params.bound)
  expectTypeOf(annotated).toEqualTypeOf<Task<[params: Params], number>>()
  const several = task(import.meta, 'several', (a: Params, b: number[], c: 'x' | 'y', ctx) => [ctx.jobId, c])
  expectTypeOf(several).toEqualTypeOf<Task<[a: Params, b: number[], c: 'x' | 'y'], string[]>>()
  const many = task(import.meta, 'many', (a: 1, b: 2, c: 3, d: 4, e: 5, f: 6, g: 7, ctx: TaskContext) => ctx.attempt)
  expectTypeOf(many).toEqualTypeOf<Task<[a: 1, b: 2, c: 3, d: 4, e: 5, f: 6, g: 7], number>>()
})

test('types: wide parameters are arguments, not contexts', () => {
  expectTypeOf(task(import.meta, 'a', (x: unknown) => x)).toEqualTypeOf<Task<[x: unknown], unknown>>()
  expectTypeOf(task(import.meta, 'b', (x: object) => x)).toEqualTypeOf<Task<[x: object], object>>()
  expectTypeOf(task(import.meta, 'c', (x: number, y: unknown) => [x, y])).toEqualTypeOf<
    Task<[x: number, y: unknown], unknown[]>
  >()
})

test('types: an optional parameter must be given, since the context comes after it; a rest parameter is refused', () => {
  const stepped = task(import.meta, 'stepped', (x: number, steps?: number) => x * (steps ?? 10))
  expectTypeOf(stepped).toEqualTypeOf<Task<[x: number, steps: number], number>>()
  // @ts-expect-error: the context would be the last of the numbers
  task(import.meta, 'sum', (...xs: number[]) => xs.length)
})

test('types: submit takes futures in place of arguments, and nothing else', () => {
  const solve = task(import.meta, 'solve', (params: Params, n: number) => n * params.bound)
  const calls = () => {
    const first = submit(solve, { bound: 1 }, 2)
    expectTypeOf(first).toEqualTypeOf<Future<number>>()
    submit(solve, { bound: 1 }, first)
    // @ts-expect-error: a number is missing
    submit(solve, { bound: 1 })
    // @ts-expect-error: not a number
    submit(solve, { bound: 1 }, 'two')
    // @ts-expect-error: a plain function is not a task
    submit((params: Params) => params.bound, { bound: 1 })
    // @ts-expect-error: the wrong argument, called here
    void solve({ bound: 'x' }, 1)
  }
  expect(calls).toBeTypeOf('function')
  expectTypeOf(solve).toExtend<AnyTask>()
})
