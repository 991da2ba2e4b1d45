import { existsSync, readFileSync } from 'node:fs'
import { dirname, extname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Where this package lies and in which form it runs: TypeScript sources (tests, tsx) or the build in dist. */
export interface OwnPackage {
  /** The folder of package.json. */
  readonly root: string
  /** The folder of the libs in the form that runs. */
  readonly libs: string
  readonly extension: '.ts' | '.js'
}

export const ownPackage = locateOwnPackage()

function locateOwnPackage(): OwnPackage {
  const extension = extname(fileURLToPath(import.meta.url)) === '.ts' ? '.ts' : '.js'
  return {
    root: fileURLToPath(new URL(extension === '.ts' ? '../..' : '../../..', import.meta.url)).replace(/[\\/]$/, ''),
    libs: fileURLToPath(new URL('..', import.meta.url)).replace(/[\\/]$/, ''),
    extension,
  }
}

/** The file that `costate/<name>` stands for, or nothing when this package has no such subpath. */
export function findOwnExport(name: string): string | undefined {
  const manifest = JSON.parse(readFileSync(join(ownPackage.root, 'package.json'), 'utf8')) as {
    exports: Record<string, string | { source?: string; default?: string }>
  }
  const target = manifest.exports[`./${name}`]
  if (typeof target !== 'object') return undefined
  const file = ownPackage.extension === '.ts' ? target.source : target.default
  return file === undefined ? undefined : join(ownPackage.root, file)
}

/** Whether the file is code of this package, and not of something installed below it. */
export function isOwnFile(path: string): boolean {
  return isWithin(ownPackage.root, path) && !relative(ownPackage.root, path).split(sep).includes('node_modules')
}

/** The folder that a task module's paths are told against: of the nearest package.json above it, else the module's own. */
export function findProjectRoot(modulePath: string): string {
  return findPackageFolder(modulePath) ?? dirname(modulePath)
}

/** The name in the nearest package.json that has one. */
export function findPackageName(path: string): string | undefined {
  for (let folder = findPackageFolder(path); folder !== undefined; folder = findPackageFolder(folder)) {
    const { name } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { name?: unknown }
    if (typeof name === 'string') return name
  }
  return undefined
}

export function isWithin(folder: string, path: string): boolean {
  return path.startsWith(folder + sep)
}

function findPackageFolder(path: string): string | undefined {
  let folder = dirname(path)
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder)
    if (parent === folder) return undefined
    folder = parent
  }
  return folder
}

/**
 * The place of a file in a bundle: its path from the project's root, so that relative references between shipped files hold.
 * What lies above the root (a workspace's node_modules) goes below `_`, one per step up.
 */
export function toShippedPath(root: string, path: string): string {
  return relative(root, path)
    .split(sep)
    .map((segment) => (segment === '..' ? '_' : segment))
    .join('/')
}
