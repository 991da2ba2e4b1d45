import { pathToFileURL } from 'node:url'
import { isTask, type AnyTask } from '#libs/task'
import { describeNotATask } from './advice.js'
import { BundleError } from './bundle-error.js'
import { importGuarded } from './import-guard.js'
import { readManifest, type BundleManifest } from './manifest.js'
import { checkAddon, isAddonError } from './native-addon.js'

/** A bundle in memory. */
export interface LoadedBundle {
  /** Names of the tasks that the module exports, sorted. */
  readonly taskNames: readonly string[]
  /**
   * The task of that name. Call it with its arguments and the context: `find('solve')(...args, context)`.
   * @throws BundleError NOT_EXPORTED naming the tasks that are exported, or NOT_A_TASK.
   */
  find(taskName: string): AnyTask
}

export interface LoadOptions {
  /** How errors name the worker; this process's host unless told. */
  worker?: string
}

/**
 * Imports an unpacked bundle into this thread. Stacks from its code name the user's own files and lines.
 * @throws BundleError NATIVE_ADDON, CLUSTER_ON_IMPORT, LOAD_FAILED (whose cause is what the module threw) or CORRUPT.
 */
export async function loadBundle(entryPath: string, options: LoadOptions = {}): Promise<LoadedBundle> {
  const manifest = await readManifest(entryPath)
  // Source maps are read when a module is imported, and per thread.
  process.setSourceMapsEnabled(true)
  let exports: Record<string, unknown>
  try {
    for (const addon of manifest.nativeAddons) checkAddon(addon)
    exports = await importGuarded(pathToFileURL(entryPath).href)
  } catch (error) {
    throw explainFailure(error, manifest, options)
  }
  const tasks = collectTasks(exports, manifest)
  return {
    taskNames: [...tasks.keys()].sort(),
    find: (taskName) => {
      const found = tasks.get(taskName)
      if (found === undefined) throw explainMissing(taskName, exports, [...tasks.keys()].sort(), manifest)
      return found
    },
  }
}

function collectTasks(exports: Record<string, unknown>, { module }: BundleManifest): Map<string, AnyTask> {
  const tasks = new Map<string, AnyTask>()
  for (const value of Object.values(exports)) {
    if (!isTask(value)) continue
    const other = tasks.get(value.taskName)
    if (other !== undefined && other !== value) {
      throw new BundleError(
        'LOAD_FAILED',
        `${module} exports two tasks that are both named '${value.taskName}': give one of them another name`,
      )
    }
    tasks.set(value.taskName, value)
  }
  return tasks
}

function explainMissing(
  taskName: string,
  exports: Record<string, unknown>,
  taskNames: readonly string[],
  { module }: BundleManifest,
): BundleError {
  if (Object.hasOwn(exports, taskName)) {
    return new BundleError('NOT_A_TASK', `${module} exports '${taskName}', but: ${describeNotATask(exports[taskName])}`)
  }
  const exported = taskNames.length === 0 ? 'it exports no tasks' : `its tasks are ${taskNames.join(', ')}`
  return new BundleError(
    'NOT_EXPORTED',
    `${module} exports no task named '${taskName}'; ${exported}. A task must be exported from the module that declares it`,
  )
}

function explainFailure(error: unknown, { module }: BundleManifest, { worker }: LoadOptions): BundleError {
  if (error instanceof BundleError) return error
  if (isAddonError(error)) {
    const place = worker === undefined ? '' : `worker ${worker}: `
    return new BundleError('NATIVE_ADDON', `${place}${module} cannot be loaded: ${error.message}`, { cause: error })
  }
  const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  return new BundleError('LOAD_FAILED', `${module} failed when it was imported: ${what}`, { cause: error })
}
