import { setImmediate as nextTurn } from 'node:timers/promises'
import { BundleError } from './bundle-error.js'

/** Where the SDK inside a bundle reports that somebody wanted a cluster. */
const refusalListener = Symbol.for('costate.clusterInTask')
const REFUSAL_CODE = 'COSTATE_CLUSTER_IN_TASK'

/** One import at a time: the guard hooks into the whole thread. */
let previous: Promise<unknown> = Promise.resolve()

/**
 * Imports a module of tasks, watching for a program in it that starts a cluster or ends the process, also one that catches
 * the error, or that nobody waits for.
 * @throws BundleError CLUSTER_ON_IMPORT; else what the module threw.
 */
export function importGuarded(url: string): Promise<Record<string, unknown>> {
  const importing = previous.then(() => importWatched(url))
  previous = importing.catch(() => undefined)
  return importing
}

async function importWatched(url: string): Promise<Record<string, unknown>> {
  const reports: { refusal?: Error; exit?: Error } = {}
  const restore = watch(reports)
  let outcome: { exports: Record<string, unknown> } | { error: unknown }
  try {
    outcome = { exports: (await import(/* @vite-ignore */ url)) as Record<string, unknown> }
  } catch (error) {
    outcome = { error }
  }
  // Promises of the program that nobody waits for are rejected by now, and reported in this turn.
  await nextTurn()
  restore()
  if (reports.refusal !== undefined) {
    throw new BundleError('CLUSTER_ON_IMPORT', reports.refusal.message, { cause: reports.refusal })
  }
  if (reports.exit !== undefined) throw reports.exit
  if ('error' in outcome) throw outcome.error
  return outcome.exports
}

function watch(reports: { refusal?: Error; exit?: Error }): () => void {
  const hooks = globalThis as { [refusalListener]?: (error: Error) => void }
  const exit: unknown = Reflect.get(process, 'exit')
  hooks[refusalListener] = (error) => (reports.refusal ??= error)
  process.exit = (code) => {
    reports.exit ??= new Error(
      `it called process.exit(${code ?? ''}). Wrap the program in main(import.meta, async () => { … }), ` +
        `or move the tasks into a module without side effects`,
    )
    throw reports.exit
  }
  const onRejection = (reason: unknown): void => {
    const isOurs = reason === reports.exit || (reason as { code?: unknown } | null | undefined)?.code === REFUSAL_CODE
    // What Node does when nobody else listens.
    if (!isOurs && process.listenerCount('unhandledRejection') === 1) throw reason
  }
  process.on('unhandledRejection', onRejection)
  return () => {
    process.removeListener('unhandledRejection', onRejection)
    Reflect.set(process, 'exit', exit)
    Reflect.deleteProperty(hooks, refusalListener)
  }
}
