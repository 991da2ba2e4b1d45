import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import path from 'node:path'

/** Makes the names in a directory durable: a file that was created or renamed there is still there after a crash. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Writes all of it at this place; a single write may take only a part. */
export async function writeFully(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < bytes.byteLength;) {
    const { bytesWritten } = await file.write(bytes, written, bytes.byteLength - written, position + written)
    written += bytesWritten
  }
}

/** A file under a temporary name, whole and on disk; `publishFile` gives it its own name. */
export interface PreparedFile {
  readonly file: FileHandle
  readonly byteLength: number
}

/** Where a file lies until it is whole. */
export function temporaryNameOf(name: string): string {
  return `${name}.new`
}

/** Writes a file that is to take the place of `name`. Nothing is left of it when that fails. */
export async function prepareFile(name: string, write: (file: FileHandle) => Promise<number>): Promise<PreparedFile> {
  const file = await open(temporaryNameOf(name), 'w+', 0o600)
  try {
    const byteLength = await write(file)
    await file.sync()
    return { file, byteLength }
  } catch (error) {
    await file.close()
    await rm(temporaryNameOf(name), { force: true })
    throw error
  }
}

/** Puts the prepared file in the place of `name`. When that fails it is unknown which of the two a restart finds. */
export async function publishFile(name: string): Promise<void> {
  await rename(temporaryNameOf(name), name)
  await syncDirectory(path.dirname(name))
}
