import fc from 'fast-check'
import { expect, test } from 'vitest'
import { digestOf, packArchive, readArchive } from './archive.js'

const text = (value: string): Uint8Array => new TextEncoder().encode(value)
const sample = packArchive([
  { path: 'costate-bundle.mjs', bytes: text('export {}') },
  { path: 'data/table.csv', bytes: text('a,b') },
])

/** An archive with the index given, as somebody with bad intentions writes it. */
function forge(index: unknown, body = ''): Uint8Array {
  const magic = sample.subarray(0, 17)
  const json = text(JSON.stringify(index))
  const length = new Uint8Array(new Uint32Array([json.length]).buffer)
  return Uint8Array.from([...magic, ...length, ...json, ...text(body)])
}

test('files come back as they went in, sorted by path', () => {
  const segment = fc.stringMatching(/^[a-zA-Zä0-9_@-][a-zA-Zä0-9._@ -]{0,8}$/)
  const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => segments.join('/'))
  const files = fc.uniqueArray(fc.record({ path, bytes: fc.uint8Array() }), { selector: (file) => file.path })
  fc.assert(
    fc.property(files, (given) => {
      const read = readArchive(packArchive(given))
      expect(read).toEqual([...given].sort((a, b) => (a.path < b.path ? -1 : 1)))
    }),
  )
})

test('the order in which files are given does not change the archive', () => {
  const files = readArchive(sample)

  expect(digestOf(packArchive([...files].reverse()))).toBe(digestOf(sample))
})

test('an archive within a larger buffer is read from its own place', () => {
  const buffer = new Uint8Array(sample.length + 3)
  buffer.set(sample, 3)

  expect(readArchive(buffer.subarray(3))).toEqual(readArchive(sample))
})

test('an archive that is cut short anywhere is refused', () => {
  for (let length = 0; length < sample.length; length++) {
    expect(() => readArchive(sample.subarray(0, length)), `${length} bytes`).toThrow(
      expect.objectContaining({ name: 'BundleError', code: 'CORRUPT' }),
    )
  }
})

test('an archive with something after its end is refused', () => {
  expect(() => readArchive(Uint8Array.from([...sample, 0]))).toThrow(`its index speaks of ${sample.length}`)
})

test.each([
  '../escape.mjs',
  'a/../../escape.mjs',
  '/etc/cron.d/x',
  'a//b',
  './a',
  'a/.',
  '',
  'C:/windows/x',
  '..\\escape.mjs',
  'a\0b',
])('a path that leaves the folder, or might on some system, is refused: %j', (path) => {
  expect(() => readArchive(forge({ files: [{ path, byteLength: 0 }] }))).toThrow('names a file outside its folder')
})

test.each([
  [{ files: [{ path: 'a', byteLength: -1 }] }],
  [{ files: [{ path: 'a', byteLength: 0.5 }] }],
  [{ files: [{ path: 'a' }] }],
  [{ files: [null] }],
  [{ files: {} }],
  [null],
])('an index of the wrong form is refused: %j', (index) => {
  expect(() => readArchive(forge(index))).toThrow("the bundle's index is not a list of files")
})

test('a path that comes twice is refused', () => {
  const twice = { path: 'a', byteLength: 1 }

  expect(() => readArchive(forge({ files: [twice, twice] }, 'xy'))).toThrow('holds "a" twice')
})
