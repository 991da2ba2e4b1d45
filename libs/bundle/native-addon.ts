import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { hostname } from 'node:os'
import { delimiter, join, resolve } from 'node:path'

/** Set on errors of addons, to be recognised through the bundle's own copy of this file. */
const ADDON_CODE = 'COSTATE_NATIVE_ADDON'

/**
 * A declared native addon, from a folder of this machine: those in COSTATE_NATIVE_PATH, then the working folder.
 * Bundles call this in place of importing the addon.
 * @param specifier what the task module imported: a package name, or a path within one.
 * @throws Error naming the addon, this worker and what to install, when it isn't there or doesn't load.
 */
export function requireAddon(specifier: string): unknown {
  const path = resolveAddon(specifier)
  try {
    return createRequire(path)(path) as unknown
  } catch (cause) {
    throw describeFailure(specifier, `is installed, ${path}, and does not load`, cause)
  }
}

/** Checks that the addon's package is installed. Throws as `requireAddon` does. */
export function checkAddon(packageName: string): void {
  const folders = listAddonFolders()
  const places = folders.flatMap((folder) => createRequire(join(folder, 'index.js')).resolve.paths(packageName) ?? [])
  if (!places.some((place) => existsSync(join(place, packageName)))) throw describeMissing(packageName, folders)
}

function resolveAddon(specifier: string): string {
  const folders = listAddonFolders()
  for (const folder of folders) {
    try {
      return createRequire(join(folder, 'index.js')).resolve(specifier)
    } catch {
      continue
    }
  }
  throw describeMissing(specifier, folders)
}

/** Whether an error, or one that caused it, is of an addon. */
export function isAddonError(error: unknown): error is Error {
  return error instanceof Error && (error as { code?: unknown }).code === ADDON_CODE
}

function listAddonFolders(): string[] {
  const named = (process.env['COSTATE_NATIVE_PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
  return [...named, process.cwd()].map((folder) => resolve(folder))
}

function describeMissing(specifier: string, folders: readonly string[]): Error {
  return describeFailure(specifier, `is not installed in ${[...new Set(folders)].join(' or ')}`, undefined)
}

function describeFailure(specifier: string, what: string, cause: unknown): Error {
  const advice =
    cause === undefined
      ? `Run "npm install ${specifier}" there, or name a folder that has it in COSTATE_NATIVE_PATH`
      : `Install it anew for this machine: ${process.platform}-${process.arch}, Node ${process.version}`
  const message = `native addon "${specifier}" ${what} on worker ${hostname()} (process ${process.pid}). ${advice}.`
  return Object.assign(new Error(message, { cause }), { code: ADDON_CODE })
}
