import type { BuildFailure, Metafile } from 'esbuild'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createAddonPlugin, type UndeclaredAddon } from './addon-plugin.js'
import type { ArchivedFile } from './archive.js'
import { BundleError } from './bundle-error.js'
import { findProjectRoot, toShippedPath } from './location.js'
import { encodeManifest, ENTRY_PATH, MANIFEST_PATH } from './manifest.js'
import { bundleBanner, createModulePlugin, moduleUrlDefinitions } from './module-plugin.js'
import { createSdkPlugin } from './sdk-plugin.js'
import { nameSources } from './source-names.js'

/** A bundle is held in memory and sent to every worker; what is bigger than this is data. */
const MAX_BUNDLE_BYTES = 256 * 1024 * 1024

/** How the build calls an entry that is no file. */
const ENTRY_SOURCE = 'costate-composition.js'

export interface CompiledModule {
  readonly files: readonly ArchivedFile[]
  /** Absolute paths of everything that was read. */
  readonly inputs: readonly string[]
}

/**
 * Bundles a module with all that it imports and refers to.
 * @param entry source that stands for the module, see `composedEntry`.
 * @throws BundleError BUILD_FAILED with esbuild's file and line, or NATIVE_ADDON.
 */
export async function compileModule(
  modulePath: string,
  nativeAddons: readonly string[],
  entry?: string,
): Promise<CompiledModule> {
  const root = findProjectRoot(modulePath)
  const assets = new Map<string, string>()
  const { code, sourceMap, metafile } = await runEsbuild(modulePath, root, nativeAddons, assets, entry)
  const manifest = { module: toShippedPath(root, modulePath), nativeAddons }
  const files = [
    { path: ENTRY_PATH, bytes: code },
    { path: `${ENTRY_PATH}.map`, bytes: nameSources(sourceMap, root) },
    { path: MANIFEST_PATH, bytes: encodeManifest(manifest) },
    ...(await Promise.all([...assets].map(async ([path, source]) => ({ path, bytes: await readFile(source) })))),
  ]
  const total = files.reduce((sum, { bytes }) => sum + bytes.length, 0)
  if (total > MAX_BUNDLE_BYTES) {
    const largest = files.reduce((a, b) => (b.bytes.length > a.bytes.length ? b : a))
    throw new BundleError(
      'BUILD_FAILED',
      `the bundle of ${modulePath} has ${total} bytes, the limit is ${MAX_BUNDLE_BYTES}; its largest file is ${largest.path}. ` +
        `Scatter data of that size and pass it to the task`,
    )
  }
  return { files, inputs: [...listSources(metafile, root), ...assets.values()] }
}

async function runEsbuild(
  modulePath: string,
  root: string,
  nativeAddons: readonly string[],
  assets: Map<string, string>,
  entry?: string,
): Promise<{ code: Uint8Array; sourceMap: Uint8Array; metafile: Metafile }> {
  // 10 MB of binary and a child process, that only who ships code has to pay for.
  const esbuild = await import('esbuild')
  try {
    const { outputFiles, metafile } = await esbuild.build({
      ...(entry === undefined
        ? { entryPoints: [modulePath] }
        : { stdin: { contents: entry, resolveDir: root, sourcefile: ENTRY_SOURCE } }),
      outfile: join(root, ENTRY_PATH),
      absWorkingDir: root,
      write: false,
      bundle: true,
      metafile: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      charset: 'utf8',
      sourcemap: 'linked',
      sourcesContent: false,
      legalComments: 'none',
      logLevel: 'silent',
      // Drops the call of the empty `main` and, with it, the program.
      minifySyntax: true,
      banner: { js: bundleBanner },
      define: moduleUrlDefinitions,
      plugins: [createAddonPlugin(nativeAddons), createSdkPlugin(), createModulePlugin(root, assets)],
    })
    const map = outputFiles.find(({ path }) => path.endsWith('.map'))!
    const code = outputFiles.find((file) => file !== map)!
    return { code: code.contents, sourceMap: map.contents, metafile }
  } catch (error) {
    if (!isBuildFailure(error)) throw error
    const text = (await esbuild.formatMessages(error.errors, { kind: 'error', color: false })).join('').trim()
    const native = error.errors.some(({ detail }) => typeof (detail as UndeclaredAddon | undefined)?.addon === 'string')
    throw new BundleError(native ? 'NATIVE_ADDON' : 'BUILD_FAILED', `cannot bundle ${modulePath}:\n${text}`)
  }
}

function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && Array.isArray((error as Partial<BuildFailure>).errors)
}

/** The files among the inputs: what a plugin made up has a namespace before it. */
function listSources(metafile: Metafile, root: string): string[] {
  return Object.keys(metafile.inputs)
    .filter((path) => !/^[\w-]{2,}:/.test(path) && path !== ENTRY_SOURCE)
    .map((path) => join(root, path))
}
