import { randomFillSync } from 'node:crypto'

const uuidBytes = 16
const random = Buffer.alloc(256 * uuidBytes)
let used = random.byteLength

const hexDigits = Buffer.from('0123456789abcdef')
const text = Buffer.from('o-00000000-0000-0000-0000-000000000000')
/** Where the digits of each byte of the UUID stand. */
const places = [2, 4, 6, 8, 11, 13, 16, 18, 21, 23, 26, 28, 30, 32, 34, 36]

/** An id for an object of this program: `o-` and a random UUID. In one piece, where one that is put together takes ten times the memory. */
export function newObjectId(): string {
  if (used === random.byteLength) {
    randomFillSync(random)
    used = 0
  }
  const start = used
  used += uuidBytes
  // Version 4, variant 1.
  random[start + 6] = ((random[start + 6] as number) & 0x0f) | 0x40
  random[start + 8] = ((random[start + 8] as number) & 0x3f) | 0x80
  for (let index = 0; index < uuidBytes; index++) {
    const byte = random[start + index] as number
    const place = places[index] as number
    text[place] = hexDigits[byte >> 4] as number
    text[place + 1] = hexDigits[byte & 0x0f] as number
  }
  return text.toString('latin1')
}
