import { randomUUID } from 'node:crypto'
import { mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { digestOf, readArchive } from './archive.js'
import { BundleError } from './bundle-error.js'
import { ENTRY_PATH } from './manifest.js'

/**
 * Unpacks a bundle into a folder of its own below `directory`, named by its digest. Either the folder is there with all files,
 * or it isn't there; several processes may unpack the same bundle at once.
 * @param expectedDigest sha256 of the archive, lower-case hex.
 * @returns the path of the entry, for `loadBundle`.
 * @throws BundleError CORRUPT when the bytes are not those of the digest, are no archive, or name a file outside the folder.
 */
export async function unpackBundle(archive: Uint8Array, directory: string, expectedDigest?: string): Promise<string> {
  const digest = digestOf(archive)
  if (expectedDigest !== undefined && expectedDigest !== digest) {
    throw new BundleError('CORRUPT', `the bundle ${expectedDigest} arrived as ${digest}: fetch it again`)
  }
  const files = readArchive(archive)
  if (!files.some(({ path }) => path === ENTRY_PATH)) {
    throw new BundleError('CORRUPT', `the bundle ${digest} has no ${ENTRY_PATH}: it was not made by this version`)
  }
  const unpacked = await findUnpackedBundle(directory, digest)
  if (unpacked !== undefined) return unpacked
  const temporary = join(directory, `.${digest}.${randomUUID()}`)
  try {
    for (const { path, bytes } of files) await writeDurably(join(temporary, path), bytes)
    await renameUnlessThere(temporary, join(directory, digest))
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
  return join(directory, digest, ENTRY_PATH)
}

/** The entry of the bundle if it was unpacked below `directory` before. */
export async function findUnpackedBundle(directory: string, digest: string): Promise<string | undefined> {
  const entryPath = join(directory, digest, ENTRY_PATH)
  const stats = await stat(entryPath).catch(() => undefined)
  return stats?.isFile() ? entryPath : undefined
}

/** Flushed, because after a crash the renamed folder must not hold empty files. */
async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function renameUnlessThere(from: string, to: string): Promise<void> {
  try {
    await rename(from, to)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error
  }
}
