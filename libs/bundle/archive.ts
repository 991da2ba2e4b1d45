import { createHash } from 'node:crypto'
import { BundleError } from './bundle-error.js'

/**
 * Layout, version 1: the magic; the length of the index in bytes, uint32 little-endian; the index, JSON in UTF-8; the files,
 * one after the other in the order of the index. No times, no owners, files sorted by path: equal files give equal bytes.
 */
const MAGIC = new TextEncoder().encode('costate-bundle/1\n')
const HEADER_BYTES = MAGIC.length + 4

/** A file in an archive; the path is relative, with forward slashes. */
export interface ArchivedFile {
  readonly path: string
  readonly bytes: Uint8Array
}

export function packArchive(files: readonly ArchivedFile[]): Uint8Array {
  const sorted = [...files].sort((a, b) => (a.path < b.path ? -1 : 1))
  const index = new TextEncoder().encode(
    JSON.stringify({ files: sorted.map(({ path, bytes }) => ({ path, byteLength: bytes.length })) }),
  )
  const archive = new Uint8Array(sorted.reduce((sum, { bytes }) => sum + bytes.length, HEADER_BYTES + index.length))
  archive.set(MAGIC)
  new DataView(archive.buffer).setUint32(MAGIC.length, index.length, true)
  archive.set(index, HEADER_BYTES)
  let offset = HEADER_BYTES + index.length
  for (const { bytes } of sorted) {
    archive.set(bytes, offset)
    offset += bytes.length
  }
  return archive
}

/**
 * The files of an archive, as views of its bytes.
 * @throws BundleError CORRUPT when the bytes are no archive, are cut short, or name a file outside the archive's folder.
 */
export function readArchive(archive: Uint8Array): ArchivedFile[] {
  if (archive.length < HEADER_BYTES || MAGIC.some((byte, at) => archive[at] !== byte)) {
    throw new BundleError(
      'CORRUPT',
      'the bundle does not begin like one of this version: compare the versions of both ends',
    )
  }
  const indexLength = new DataView(archive.buffer, archive.byteOffset).getUint32(MAGIC.length, true)
  const entries = parseIndex(archive.subarray(HEADER_BYTES, HEADER_BYTES + indexLength), indexLength)
  let offset = HEADER_BYTES + indexLength
  const files = entries.map(({ path, byteLength }) => {
    const bytes = archive.subarray(offset, offset + byteLength)
    offset += byteLength
    return { path, bytes }
  })
  if (offset !== archive.length) {
    throw new BundleError(
      'CORRUPT',
      `the bundle has ${archive.length} bytes, its index speaks of ${offset}: fetch it again`,
    )
  }
  return files
}

/** Lower-case hex sha256, by which bundles are named. */
export function digestOf(archive: Uint8Array): string {
  return createHash('sha256').update(archive).digest('hex')
}

interface IndexEntry {
  readonly path: string
  readonly byteLength: number
}

function parseIndex(bytes: Uint8Array, expectedBytes: number): readonly IndexEntry[] {
  if (bytes.length !== expectedBytes)
    throw new BundleError('CORRUPT', 'the bundle ends within its index: fetch it again')
  let index: unknown
  try {
    index = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new BundleError('CORRUPT', "the bundle's index is not JSON: fetch it again", { cause })
  }
  const files = (index as { files?: unknown } | null)?.files
  if (!Array.isArray(files) || !files.every(isIndexEntry)) {
    throw new BundleError('CORRUPT', "the bundle's index is not a list of files: fetch it again")
  }
  const seen = new Set<string>()
  for (const { path } of files) {
    if (!isPathWithin(path)) {
      throw new BundleError('CORRUPT', `the bundle names a file outside its folder, ${JSON.stringify(path)}: refused`)
    }
    if (seen.has(path)) throw new BundleError('CORRUPT', `the bundle holds ${JSON.stringify(path)} twice: refused`)
    seen.add(path)
  }
  return files
}

function isIndexEntry(value: unknown): value is IndexEntry {
  const entry = value as Partial<IndexEntry> | null
  return typeof entry?.path === 'string' && Number.isSafeInteger(entry.byteLength) && (entry.byteLength as number) >= 0
}

/** Backslashes, colons and NUL mean something to some file system, and nothing in a bundle needs them. */
function isPathWithin(path: string): boolean {
  if (/[\\:\0]/.test(path)) return false
  return path.split('/').every((segment) => segment !== '' && segment !== '.' && segment !== '..')
}
