import type { PartialMessage, Plugin } from 'esbuild'
import { join } from 'node:path'
import { findPackageName, ownPackage } from './location.js'
import { toOwn } from './sdk-plugin.js'

/** Packages whose only use is to find the compiled part of the package that imports them. */
const LOADER_FILTER =
  /^(bindings|node-gyp-build(-optional-packages)?|node-pre-gyp|@mapbox\/node-pre-gyp|pkg-prebuilds)$/
const namespace = 'native-addon'
const RUNTIME = 'costate-native-addon'
const addonModule = join(ownPackage.libs, 'bundle', `native-addon${ownPackage.extension}`)

/** What an error of this plugin carries, and esbuild hands through. */
export interface UndeclaredAddon {
  readonly addon: string
}

/** Leaves declared native addons to the worker, which has them installed for its own platform, and refuses all others. */
export function createAddonPlugin(nativeAddons: readonly string[]): Plugin {
  const declared = new Set(nativeAddons)
  return {
    name: 'costate-addons',
    setup(build) {
      build.onResolve({ filter: /^[^./]/ }, ({ path }) =>
        declared.has(packageNameOf(path)) ? { path, namespace } : undefined,
      )
      build.onLoad({ filter: /^/, namespace }, ({ path }) => ({
        // CommonJS, because what the addon exports is known on the worker only.
        contents: `module.exports = require('${RUNTIME}').requireAddon(${JSON.stringify(path)})`,
        loader: 'js',
      }))
      build.onResolve({ filter: /^/, namespace }, () => toOwn(addonModule))
      build.onResolve({ filter: LOADER_FILTER }, ({ importer }) => ({ errors: [refuse(importer)] }))
      build.onLoad({ filter: /\.node$/ }, ({ path }) => ({ errors: [refuse(path)] }))
    },
  }
}

function refuse(path: string): PartialMessage {
  const addon = (findPackageName(path) ?? path).replace(/-(linux|darwin|win32|freebsd|android)(-[a-z0-9]+)*$/, '')
  return {
    text:
      `"${addon}" is native code, built for this machine, and doesn't travel in a bundle. Install it where the workers run ` +
      `and declare it: task(import.meta, …, { nativeAddons: ['${addon}'] }). If only the program that submits the tasks uses ` +
      `it, move the tasks into a module of their own`,
    detail: { addon } satisfies UndeclaredAddon,
  }
}

/** `@scope/name/file` → `@scope/name`. */
function packageNameOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
}
