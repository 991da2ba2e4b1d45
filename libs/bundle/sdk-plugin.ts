import type { OnResolveResult, Plugin, PluginBuild } from 'esbuild'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { findOwnExport, isOwnFile, isWithin, ownPackage } from './location.js'
import { bindModuleUrl } from './module-plugin.js'

/**
 * Files of this package are bundled under names of their own, `costate:libs/…`, and not by where it is installed, so that a
 * bundle comes out the same from every machine.
 */
export const ownNamespace = 'costate'

/** The file that this package needs inside every bundle. */
const inBundle = join(ownPackage.libs, 'task', `in-bundle${ownPackage.extension}`)

/** Names by which this package's own modules (the demonstrations) import what users import as `costate`. */
const sdkAliases = new Set(['#libs/client', '#libs/task'])

/**
 * Resolves what a bundle imports of this package: `costate` is the part that works inside a task; subpaths such as
 * `costate/control` are bundled for real, from the user's own installation if there is one.
 */
export function createSdkPlugin(): Plugin {
  return {
    name: 'costate-sdk',
    setup(build) {
      build.onResolve({ filter: /^costate$/ }, () => toOwn(inBundle))
      build.onResolve({ filter: /^costate\/./ }, async ({ path, resolveDir, kind, pluginData }) =>
        pluginData === ownNamespace ? undefined : resolveSubpath(build, path, { resolveDir, kind }),
      )
      // How the entry of a composed task names files of this package, see composedEntry.
      build.onResolve({ filter: /^costate:./ }, ({ path }) =>
        toOwn(join(ownPackage.root, path.slice(`${ownNamespace}:`.length))),
      )
      build.onResolve({ filter: /^#libs\/./ }, ({ path, importer, namespace }) => {
        if (namespace !== ownNamespace && !isOwnFile(importer)) return undefined
        if (sdkAliases.has(path)) return toOwn(inBundle)
        return toOwn(join(ownPackage.libs, path.slice('#libs/'.length), `index${ownPackage.extension}`))
      })
      build.onResolve({ filter: /^\.\.?\//, namespace: ownNamespace }, ({ path, resolveDir }) =>
        toOwn(join(resolveDir, path.replace(/\.js$/, ownPackage.extension))),
      )
      build.onLoad({ filter: /^/, namespace: ownNamespace }, async ({ path }) => {
        const file = join(ownPackage.root, path)
        // The map of the build would name sources by where this package is installed, and they aren't installed.
        const source = (await readFile(file, 'utf8')).replace(/^\/\/# sourceMappingURL=.*$/m, '')
        return {
          contents: bindModuleUrl(source, `node_modules/costate/${path}`) ?? source,
          loader: ownPackage.extension === '.ts' ? 'ts' : 'js',
          resolveDir: dirname(file),
        }
      })
    },
  }
}

type Importer = Pick<Parameters<PluginBuild['resolve']>[1] & object, 'resolveDir' | 'kind'>

async function resolveSubpath(build: PluginBuild, path: string, importer: Importer): Promise<OnResolveResult> {
  const installed = await build.resolve(path, { ...importer, pluginData: ownNamespace })
  if (installed.errors.length === 0) {
    return isWithin(ownPackage.libs, installed.path) ? toOwn(installed.path) : { path: installed.path }
  }
  const own = findOwnExport(path.slice('costate/'.length))
  if (own !== undefined && existsSync(own)) return toOwn(own)
  return { errors: [{ text: `"${path}" is not a part of costate that can be used inside a task` }] }
}

/** Resolves to a file of this package. */
export function toOwn(file: string): OnResolveResult {
  const path = relative(ownPackage.root, file).split(sep).join('/')
  // Nothing in this package acts on being imported: what the task doesn't use is left out.
  return { path, namespace: ownNamespace, sideEffects: false }
}
