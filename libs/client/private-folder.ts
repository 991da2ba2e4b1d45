import { lstat, mkdir } from 'node:fs/promises'

/**
 * Makes a folder that is this user's alone, in one that everybody may write to.
 *
 * @throws Error when somebody else has made it before, or others may write to it.
 */
export async function makePrivateFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const found = await lstat(folder)
  if (found.isDirectory() && found.uid === process.getuid?.() && (found.mode & 0o077) === 0) return
  throw new Error(`${folder} is not a folder of this user alone: remove it, or give another dataDir`)
}
