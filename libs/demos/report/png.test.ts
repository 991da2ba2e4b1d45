import { inflateSync } from 'node:zlib'

import { crc32 } from '@node-rs/crc32'
import { expect, test } from 'vitest'

import { encodePng } from './png.js'

/** The chunks of a PNG: type and data, each with a sum that is right. */
function chunksOf(png: Buffer): Map<string, Buffer> {
  const chunks = new Map<string, Buffer>()
  for (let at = 8; at < png.length;) {
    const end = at + 8 + png.readUInt32BE(at)
    expect(png.readUInt32BE(end)).toBe(crc32(png.subarray(at + 4, end)))
    chunks.set(png.toString('latin1', at + 4, at + 8), png.subarray(at + 8, end))
    at = end + 4
  }
  return chunks
}

test('a picture holds its pixels row by row, and the colours that they name', () => {
  const palette = [
    [0, 0, 0],
    [255, 0, 0],
    [0, 0, 255],
  ] as const
  const png = encodePng(Uint8Array.of(0, 1, 2, 2, 1, 0), 3, palette)
  expect(png.subarray(1, 4).toString('latin1')).toBe('PNG')
  const chunks = chunksOf(png)
  expect([...chunks.keys()]).toEqual(['IHDR', 'PLTE', 'IDAT', 'IEND'])
  const header = chunks.get('IHDR')!
  expect([header.readUInt32BE(0), header.readUInt32BE(4), header[8], header[9]]).toEqual([3, 2, 8, 3])
  expect([...chunks.get('PLTE')!]).toEqual(palette.flat())
  expect([...inflateSync(chunks.get('IDAT')!)]).toEqual([0, 0, 1, 2, 0, 2, 1, 0])
})
