import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { BundleError } from './bundle-error.js'

export const ENTRY_PATH = 'costate-bundle.mjs'
export const MANIFEST_PATH = 'costate-bundle.json'

/** What a worker must know of a bundle before it runs code of it. */
export interface BundleManifest {
  /** The task module, told from the root of the user's project. */
  readonly module: string
  readonly nativeAddons: readonly string[]
}

export function encodeManifest(manifest: BundleManifest): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(manifest))
}

/** The manifest beside an unpacked bundle's entry. Throws BundleError CORRUPT. */
export async function readManifest(entryPath: string): Promise<BundleManifest> {
  const path = join(dirname(entryPath), MANIFEST_PATH)
  let manifest: Partial<BundleManifest> | null
  try {
    manifest = JSON.parse(await readFile(path, 'utf8')) as Partial<BundleManifest> | null
  } catch (cause) {
    throw new BundleError('CORRUPT', `there is no unpacked bundle at ${entryPath}: unpack it again`, { cause })
  }
  if (typeof manifest?.module !== 'string' || !Array.isArray(manifest.nativeAddons)) {
    throw new BundleError('CORRUPT', `${path} is not a bundle's manifest: unpack it again`)
  }
  return { module: manifest.module, nativeAddons: manifest.nativeAddons as readonly string[] }
}
