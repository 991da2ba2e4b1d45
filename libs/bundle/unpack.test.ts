import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { digestOf, packArchive } from './archive.js'
import { findUnpackedBundle, unpackBundle } from './unpack.js'

const archive = packArchive([
  { path: 'costate-bundle.mjs', bytes: new TextEncoder().encode('export {}') },
  { path: 'src/data/table.csv', bytes: new TextEncoder().encode('a,b') },
])
const digest = digestOf(archive)
let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'costate-unpack-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

test('a bundle is unpacked into a folder named by its digest', async () => {
  expect(await findUnpackedBundle(directory, digest)).toBeUndefined()
  const entryPath = await unpackBundle(archive, directory, digest)

  expect(entryPath).toBe(join(directory, digest, 'costate-bundle.mjs'))
  expect(readFileSync(join(dirname(entryPath), 'src/data/table.csv'), 'utf8')).toBe('a,b')
  expect(await findUnpackedBundle(directory, digest)).toBe(entryPath)
})

test('several at once get the same folder, and nothing temporary stays', async () => {
  const entryPaths = await Promise.all(Array.from({ length: 8 }, () => unpackBundle(archive, directory)))

  expect(new Set(entryPaths).size).toBe(1)
  expect(readdirSync(directory)).toEqual([digest])
})

test('bytes that are not those of the digest are refused', async () => {
  const flipped = archive.map((byte, at) => (at === archive.length - 1 ? byte ^ 1 : byte))

  await expect(unpackBundle(flipped, directory, digest)).rejects.toMatchObject({
    code: 'CORRUPT',
    message: expect.stringContaining(`${digest} arrived as ${digestOf(flipped)}`) as string,
  })
  expect(readdirSync(directory)).toEqual([])
})

test('a bundle without its entry, and one that leaves its folder, write nothing', async () => {
  const withoutEntry = packArchive([{ path: 'x', bytes: new Uint8Array() }])
  const escaping = packArchive([{ path: '../x', bytes: new Uint8Array() }])

  await expect(unpackBundle(withoutEntry, directory)).rejects.toMatchObject({ code: 'CORRUPT' })
  await expect(unpackBundle(escaping, join(directory, 'bundles'))).rejects.toMatchObject({ code: 'CORRUPT' })
  expect(readdirSync(directory)).toEqual([])
})

test('a folder that cannot be written to leaves nothing behind', async () => {
  const clash = packArchive([
    { path: 'costate-bundle.mjs', bytes: new Uint8Array() },
    { path: 'costate-bundle.mjs/below-a-file', bytes: new Uint8Array() },
  ])

  await expect(unpackBundle(clash, directory)).rejects.toThrow()
  expect(readdirSync(directory)).toEqual([])
})
