import { statSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { type AnyTask, compositionOf } from '#libs/task'
import { digestOf, packArchive } from './archive.js'
import { BundleError } from './bundle-error.js'
import { compileModule } from './compile.js'
import { composedEntry } from './composed-entry.js'

/** A task module with all that it needs, ready to be sent. */
export interface TaskBundle {
  /** sha256 of the archive, lower-case hex. */
  digest: string
  archive: Uint8Array
  /** `file:` URL of the module, without the query that a loader of sources may have put there. */
  moduleUrl: string
  nativeAddons: readonly string[]
  /** Paths within the archive. */
  fileNames: readonly string[]
}

export interface BundleOptions {
  /** Packages that stay out of the bundle: the workers have them installed. */
  nativeAddons?: readonly string[]
  /** Source of the module that stands for the task module; it imports what it is made of. */
  entry?: string
}

interface CachedBundle {
  readonly bundle: TaskBundle
  /** What each input looked like; an input that changed while it was read has no stamp, and counts as changed. */
  readonly stamps: ReadonlyMap<string, string | undefined>
  /** Inputs are looked at once per turn of the event loop: a loop that submits a thousand tasks asks a thousand times. */
  checked: boolean
}

/** Bundles the module of a task; of one that is made of others, all their modules. Throws as `bundleTaskModule`. */
export async function bundleTask(task: AnyTask): Promise<TaskBundle> {
  const nativeAddons = task.options.nativeAddons ?? []
  if (compositionOf(task) === undefined) return await bundleTaskModule(task.moduleUrl, { nativeAddons })
  return await bundleTaskModule(task.moduleUrl, { nativeAddons, entry: composedEntry(task, toModulePath) })
}

const cache = new Map<string, Promise<CachedBundle>>()

/**
 * Bundles a task module. The same sources give the same bytes, wherever their folder lies. Kept per module within the process
 * until one of the files changes.
 * @param moduleUrl a `file:` URL, as `import.meta.url` is; a query is ignored.
 * @throws BundleError BUILD_FAILED or NATIVE_ADDON.
 */
export async function bundleTaskModule(moduleUrl: string, options: BundleOptions = {}): Promise<TaskBundle> {
  const nativeAddons = [...new Set(options.nativeAddons)].sort()
  const modulePath = toModulePath(moduleUrl)
  const { entry } = options
  const key = JSON.stringify([modulePath, entry, ...nativeAddons])
  const known = cache.get(key)
  const kept = await known?.catch(() => undefined)
  if (kept !== undefined && isFresh(kept)) return kept.bundle
  // Whoever came first while this one looked builds for both.
  const current = cache.get(key)
  const building = current === undefined || current === known ? build(modulePath, nativeAddons, entry) : current
  cache.set(key, building)
  try {
    return (await building).bundle
  } catch (error) {
    if (cache.get(key) === building) cache.delete(key)
    throw error
  }
}

async function build(modulePath: string, nativeAddons: readonly string[], entry?: string): Promise<CachedBundle> {
  const startedAtMs = Date.now()
  const { files, inputs } = await compileModule(modulePath, nativeAddons, entry)
  const archive = packArchive(files)
  const bundle: TaskBundle = {
    digest: digestOf(archive),
    archive,
    moduleUrl: pathToFileURL(modulePath).href,
    nativeAddons,
    fileNames: files.map(({ path }) => path).sort(),
  }
  const stamps = new Map(inputs.map((path) => [path, stampOf(path, startedAtMs)]))
  return keepForThisTurn({ bundle, stamps, checked: true })
}

function isFresh(cached: CachedBundle): boolean {
  if (cached.checked) return true
  for (const [path, stamp] of cached.stamps) {
    if (stamp === undefined || stampOf(path) !== stamp) return false
  }
  keepForThisTurn(cached)
  return true
}

function keepForThisTurn(cached: CachedBundle): CachedBundle {
  cached.checked = true
  setImmediate(() => (cached.checked = false)).unref()
  return cached
}

function stampOf(path: string, notAfterMs = Infinity): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false })
  return stats === undefined || Math.floor(stats.mtimeMs) > notAfterMs ? undefined : `${stats.mtimeMs} ${stats.size}`
}

function toModulePath(moduleUrl: string): string {
  const url = URL.canParse(moduleUrl) ? new URL(moduleUrl) : undefined
  if (url?.protocol !== 'file:') {
    throw new BundleError(
      'BUILD_FAILED',
      `a task module must be a file, got ${moduleUrl}: declare the task with the import.meta of a module on disk`,
    )
  }
  // Loaders of sources put their own marks into the query.
  url.search = ''
  url.hash = ''
  return fileURLToPath(url)
}
