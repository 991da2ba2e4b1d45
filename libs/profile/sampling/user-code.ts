import { findSourceMap } from 'node:module'

import type { NameFrame } from './fold-profile.js'

/** What of this package a user calls: numerics. The rest of it is what runs tasks. */
const numerics = /(?:^|\/)libs\/(?:control|learning|primitives|demos)\//
const own = /(?:^|\/)libs\/[a-z-]+\//
const inBundle = 'bundle:///'
const ownInBundle = 'bundle:///node_modules/costate/'

/** Functions of the bundle at this address, by their names and places in the user's sources. */
export function nameBundled(bundleUrl: string): NameFrame {
  const map = findSourceMap(bundleUrl)
  return ({ functionName, url, lineNumber, columnNumber }) => {
    if (url !== bundleUrl) return undefined
    const name = functionName || '(anonymous)'
    if (map === undefined) return name
    const entry = map.findEntry(lineNumber, columnNumber)
    // What the bundler wrote itself comes from no source.
    if (!('originalSource' in entry)) return undefined
    const { originalSource, originalLine } = entry
    if (originalSource.startsWith(ownInBundle) && !numerics.test(originalSource)) return undefined
    const source = originalSource.startsWith(inBundle) ? originalSource.slice(inBundle.length) : originalSource
    return `${name} (${source}:${originalLine + 1})`
  }
}

/** Functions of this process' own modules, without those below `packageUrl` that run tasks. */
export function nameModules(packageUrl: string): NameFrame {
  return ({ functionName, url, lineNumber }) => {
    if (!url.startsWith('file:')) return undefined
    const within = url.startsWith(packageUrl) ? url.slice(packageUrl.length) : undefined
    if (within !== undefined && /^(?:dist\/)?libs\//.test(within) && own.test(within) && !numerics.test(within))
      return undefined
    const file =
      within !== undefined && !within.startsWith('node_modules/') ? within : url.slice(url.lastIndexOf('/') + 1)
    return `${functionName || '(anonymous)'} (${file}:${lineNumber + 1})`
  }
}
