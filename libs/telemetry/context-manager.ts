import { context, createContextKey, ROOT_CONTEXT } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'

const probeKey = createContextKey('costate context probe')

/** Makes `context.active()` follow asynchronous calls, unless a context manager (the user's) does so already. */
export function ensureContextManager(): void {
  const works = context.with(ROOT_CONTEXT.setValue(probeKey, true), () => context.active().getValue(probeKey) === true)
  if (!works) context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
}
