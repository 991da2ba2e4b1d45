import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findProjectRoot, toShippedPath } from './location.js'
import { ownNamespace } from './sdk-plugin.js'

/**
 * In stacks from a worker, `bundle:///src/tasks.ts:12:5` is line 12 of src/tasks.ts, told from the root of the user's project.
 * The path on the machine that built the bundle is not in it: equal sources give equal bundles wherever they lie.
 */
const SOURCE_SCHEME = 'bundle:///'

/** Names the sources in a source map of esbuild's, whose paths are relative to the project's root. */
export function nameSources(sourceMap: Uint8Array, root: string): Uint8Array {
  const map = JSON.parse(new TextDecoder().decode(sourceMap)) as { sources: string[] }
  map.sources = map.sources.map((source) => SOURCE_SCHEME + encodeURI(nameSource(source, root)))
  return new TextEncoder().encode(JSON.stringify(map))
}

function nameSource(source: string, root: string): string {
  const own = `${ownNamespace}:`
  return source.startsWith(own)
    ? `node_modules/costate/${source.slice(own.length)}`
    : toShippedPath(root, join(root, source))
}

/**
 * Puts the paths on this machine into a stack from a worker, where the sources are: what the user can click on.
 * @param moduleUrl the task module's, as in `TaskBundle.moduleUrl`.
 */
export function localizeStack(stack: string, moduleUrl: string): string {
  const root = findProjectRoot(fileURLToPath(moduleUrl))
  return stack.replace(/bundle:\/\/\/([^\s()]+?)(:\d+:\d+)/g, (frame, encoded: string, position: string) => {
    const shipped = decodeURI(encoded)
    const path = join(
      root,
      shipped.replace(/^(_\/)+/, (steps) => steps.replaceAll('_', '..')),
    )
    return existsSync(path) ? path + position : frame
  })
}
