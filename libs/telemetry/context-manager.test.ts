import { executionAsyncId } from 'node:async_hooks'
import { EventEmitter, once } from 'node:events'

import { context, createContextKey, ROOT_CONTEXT } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { afterEach, expect, test } from 'vitest'

import { ensureCallContextManager, runInContext } from './context-manager.js'

const key = createContextKey('test')
const inside = ROOT_CONTEXT.setValue(key, 'inside')

afterEach(() => context.disable())

/** Node numbers the continuations of promises only while somebody hooks them. */
async function arePromisesHooked(): Promise<boolean> {
  await Promise.resolve()
  return executionAsyncId() !== 0
}

test('a context follows a call until its promise settles, and no promise is hooked before or after', async () => {
  expect(await arePromisesHooked()).toBe(false)
  const news = new EventEmitter()
  const call = async (awaited: string): Promise<unknown> => {
    await once(news, awaited)
    expect(await arePromisesHooked()).toBe(true)
    return context.active().getValue(key)
  }
  const calls = ['first', 'second'].map((awaited) => runInContext(inside, call, awaited))
  expect(context.active()).toBe(ROOT_CONTEXT)
  news.emit('first')
  expect(await calls[0]).toBe('inside')
  news.emit('second')
  expect(await calls[1]).toBe('inside')
  expect(await arePromisesHooked()).toBe(false)
})

test('what fails or is over at once leaves no hooks behind', async () => {
  expect(runInContext(inside, (add: number) => [context.active().getValue(key), 1 + add], 2)).toEqual(['inside', 3])
  const broken = new Error('broken')
  const fail = (): never => {
    throw broken
  }
  expect(() => runInContext(inside, fail)).toThrow(broken)
  await expect(runInContext(inside, async () => fail())).rejects.toBe(broken)
  expect(await arePromisesHooked()).toBe(false)
})

test('a thenable is not asked for its result: some begin to work then', () => {
  let asked = 0
  runInContext(inside, () => ({ then: () => asked++ }))
  expect(asked).toBe(0)
})

test('the user can register a context manager after us, and ours then stays away', async () => {
  await runInContext(inside, async () => undefined)
  const theirs = new AsyncLocalStorageContextManager()
  expect(context.setGlobalContextManager(theirs)).toBe(true)
  const seen = await runInContext(inside, async () => {
    await Promise.resolve()
    return theirs.active().getValue(key)
  })
  expect(seen).toBe('inside')
  expect(context.setGlobalContextManager(new AsyncLocalStorageContextManager())).toBe(false)
})

test('in a process of ours calls within calls are in the innermost context', async () => {
  ensureCallContextManager()
  const innermost = inside.setValue(key, 'innermost')
  const seen = await context.with(inside, async () => {
    await Promise.resolve()
    const inner = await context.with(innermost, async () => {
      await Promise.resolve()
      return context.active().getValue(key)
    })
    return [inner, context.active().getValue(key)]
  })
  expect(seen).toEqual(['innermost', 'inside'])
  expect(await arePromisesHooked()).toBe(false)
})
