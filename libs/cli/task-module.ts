import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

import { bundleTaskModule, loadBundle, unpackBundle } from '#libs/bundle'
import { type AnyTask, task, type TaskContext } from '#libs/task'

import { CliError, exitCodes } from './cli-error.js'

/** Which task of a module. */
export interface TaskChoice {
  /** Its declared name; may be left out when the module has one task. */
  readonly taskName?: string | undefined
  /** Packages with native code that the task declares. */
  readonly nativeAddons: readonly string[]
}

/**
 * A task that a module on disk declares, TypeScript or JavaScript. The module is bundled and the bundle is loaded, as on a
 * worker: what cannot run there is found here, and a module that starts a program on import does not run it.
 *
 * @throws CliError when there is no such file or task; BundleError when the module cannot be bundled or loaded.
 */
export async function loadTask(modulePath: string, choice: TaskChoice): Promise<AnyTask> {
  if (!existsSync(modulePath)) {
    const message = `there is no file ${modulePath}: give the path of the module that declares the task`
    throw new CliError(exitCodes.notFound, 'MODULE_NOT_FOUND', message)
  }
  const moduleUrl = pathToFileURL(modulePath).href
  const { archive } = await bundleTaskModule(moduleUrl, { nativeAddons: choice.nativeAddons })
  const folder = await mkdtemp(path.join(tmpdir(), 'costate-register-'))
  try {
    const bundle = await loadBundle(await unpackBundle(archive, folder))
    const found = bundle.find(choice.taskName ?? onlyOne(bundle.taskNames, modulePath))
    // The loaded one says that its module lies in the unpacked bundle.
    const run = found as unknown as (ctx: TaskContext) => Promise<unknown>
    return task({ url: moduleUrl } as ImportMeta, found.taskName, run, found.options)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function onlyOne(taskNames: readonly string[], modulePath: string): string {
  const [only, another] = taskNames
  if (only !== undefined && another === undefined) return only
  const message =
    only === undefined
      ? `${modulePath} exports no task: declare one with export const solve = task(import.meta, 'solve', async (…) => …)`
      : `${modulePath} exports the tasks ${taskNames.join(', ')}: choose one with --task`
  throw new CliError(only === undefined ? exitCodes.notFound : exitCodes.usage, 'WHICH_TASK', message)
}
