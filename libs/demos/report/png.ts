import { deflateSync } from 'node:zlib'

import { crc32 } from '@node-rs/crc32'

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
const eightBits = 8
const paletteColors = 3

/** Red, green and blue, from 0 to 255. */
export type Color = readonly [red: number, green: number, blue: number]

/**
 * A picture of palette colours as PNG (ISO/IEC 15948).
 * @param pixels uint8[height, width], row-major, indices into the palette.
 * @param palette at most 256 colours.
 */
export function encodePng(pixels: Uint8Array, width: number, palette: readonly Color[]): Buffer {
  const height = pixels.length / width
  const rows = Buffer.alloc(height * (width + 1))
  // Each row begins with its filter: 0, none.
  for (let row = 0; row < height; row++)
    rows.set(pixels.subarray(row * width, (row + 1) * width), row * (width + 1) + 1)
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([eightBits, paletteColors], 8)
  const chunks = [
    chunkOf('IHDR', header),
    chunkOf('PLTE', Buffer.from(palette.flat())),
    chunkOf('IDAT', deflateSync(rows)),
    chunkOf('IEND', Buffer.alloc(0)),
  ]
  return Buffer.concat([signature, ...chunks])
}

function chunkOf(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const frame = Buffer.alloc(8)
  frame.writeUInt32BE(data.length, 0)
  frame.writeUInt32BE(crc32(body), 4)
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)])
}
