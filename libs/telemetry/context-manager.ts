import { types } from 'node:util'

import { context, type Context, createContextKey, ROOT_CONTEXT } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'

const probeKey = createContextKey('costate context probe')

/** Makes `context.active()` follow asynchronous calls, unless a context manager (the user's) does so already. */
export function ensureContextManager(): void {
  if (!isManaged()) context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
}

/**
 * The same for a process in which all code is ours: contexts follow a call until its promise settles, and what goes on behind
 * that is in no context. While none is followed there are no hooks, which cost every promise of the process a fifth more.
 */
export function ensureCallContextManager(): void {
  if (!isManaged()) context.setGlobalContextManager(calls)
}

/**
 * Runs `fn` in a context, as `context.with` does, also where nobody has registered a context manager: then ours is there until
 * the call is over. The user can register theirs at any other time.
 */
export function runInContext<A extends unknown[], T>(inside: Context, fn: (...args: A) => T, ...args: A): T {
  if (isManaged()) return context.with(inside, fn, undefined, ...args)
  context.setGlobalContextManager(calls)
  calls.onceIdle = () => context.disable()
  return context.with(inside, fn, undefined, ...args)
}

function isManaged(): boolean {
  return context.with(ROOT_CONTEXT.setValue(probeKey, true), () => context.active().getValue(probeKey) === true)
}

/** Has asynchronous hooks only while a call that was made in a context has not ended. */
class CallContextManager extends AsyncLocalStorageContextManager {
  /** Called when no call is followed any more. */
  onceIdle: (() => void) | undefined
  #calls = 0

  override with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    inside: Context,
    fn: F,
    thisArg?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F> {
    this.#calls++
    let result: ReturnType<F>
    try {
      result = super.with(inside, fn, thisArg, ...args)
    } catch (error) {
      this.#leave()
      throw error
    }
    // Other thenables may begin to work when they are asked for their result.
    if (types.isPromise(result)) result.then(this.#leave, this.#leave)
    else this.#leave()
    return result
  }

  readonly #leave = (): void => {
    if (--this.#calls > 0) return
    this.disable()
    const { onceIdle } = this
    this.onceIdle = undefined
    onceIdle?.()
  }
}

const calls = new CallContextManager()
