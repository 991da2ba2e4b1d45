import type { Plugin } from 'esbuild'
import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { findAssets } from './assets.js'
import { toShippedPath } from './location.js'

/** Imported by name, these are files that travel along, and the import is their path on the worker. */
const ASSET_FILTER = /\.(wasm|csv|tsv|bin|dat|npy|npz|parquet|arrow|onnx|gz)$/
const MODULE_FILTER = /\.[cm]?[jt]sx?$/

const MODULE_URL = '$costateModuleUrl'
const MODULE_DIRNAME = '$costateModuleDirname'
const MODULE_FILENAME = '$costateModuleFilename'

/**
 * A bundle is one file, but each module in it must see itself where it lay among the files that it refers to. esbuild puts
 * these names in place of the expressions; `bindModuleUrl` gives each module its own values.
 */
export const moduleUrlDefinitions: Record<string, string> = {
  'import.meta.url': MODULE_URL,
  'import.meta.dirname': MODULE_DIRNAME,
  'import.meta.filename': MODULE_FILENAME,
  __dirname: MODULE_DIRNAME,
  __filename: MODULE_FILENAME,
}

/** Begins every bundle. `require` is for CommonJS dependencies, which ask for built-in modules by it. */
export const bundleBanner = [
  `import { createRequire as $costateCreateRequire } from 'node:module'`,
  `import { dirname as $costateDirname } from 'node:path'`,
  `import { fileURLToPath as $costateToPath } from 'node:url'`,
  `const require = $costateCreateRequire(import.meta.url)`,
  `const $costateUrl = (path) => new URL(path, import.meta.url).href`,
  `const $costatePath = (path) => $costateToPath(new URL(path, import.meta.url))`,
].join('\n')

/**
 * Gives modules their own URL, and collects the files that they refer to.
 * @param assets filled while building: shipped path → path on this machine.
 */
export function createModulePlugin(root: string, assets: Map<string, string>): Plugin {
  return {
    name: 'costate-modules',
    setup(build) {
      build.onLoad({ filter: MODULE_FILTER, namespace: 'file' }, async ({ path }) => {
        const source = await readFile(path, 'utf8')
        const contents = bindModuleUrl(source, toShippedPath(root, path))
        if (contents === undefined) return undefined
        for (const file of await findAssets(source, path)) assets.set(toShippedPath(root, file), file)
        return { contents, loader: loaderOf(path) }
      })
      build.onLoad({ filter: ASSET_FILTER, namespace: 'file' }, ({ path }) => {
        const shipped = toShippedPath(root, path)
        assets.set(shipped, path)
        return { contents: `export default $costatePath(${toUrlLiteral(shipped)})`, loader: 'js' }
      })
    },
  }
}

/**
 * The source with its URL bound, or nothing when it doesn't ask for it. The binding stands before the first statement in the
 * same line: lines keep their numbers in stacks.
 */
export function bindModuleUrl(source: string, shippedPath: string): string | undefined {
  if (!/\bimport\s*\.\s*meta\b|\b__dirname\b|\b__filename\b/.test(source)) return undefined
  const path = toUrlLiteral(shippedPath)
  const binding =
    `var ${MODULE_URL} = /* @__PURE__ */ $costateUrl(${path}), ${MODULE_FILENAME} = /* @__PURE__ */ $costatePath(${path}), ` +
    `${MODULE_DIRNAME} = /* @__PURE__ */ $costateDirname(/* @__PURE__ */ $costatePath(${path})); `
  const shebang = /^#!.*\r?\n/.exec(source)?.[0] ?? ''
  return shebang + binding + source.slice(shebang.length)
}

function toUrlLiteral(shippedPath: string): string {
  return JSON.stringify(shippedPath.split('/').map(encodeURIComponent).join('/'))
}

function loaderOf(path: string): 'ts' | 'tsx' | 'js' | 'jsx' {
  const extension = extname(path).replace(/^\.[cm]?/, '')
  return extension === 'ts' || extension === 'tsx' || extension === 'jsx' ? extension : 'js'
}
