import { once } from 'node:events'
import fs from 'node:fs'
import type { Duplex } from 'node:stream'

/** As much as a stream's shared memory, in pieces that lie differently within their pages, as our own do. */
const slots = 8
const slotBytes = 2 * 2 ** 20
const pieceBytes = slotBytes - 64

/** Writes all of `source` through the slots of the file. The other end says on the channel which slots it has read. */
export async function sendThrough(fd: number, channel: Duplex, source: Uint8Array): Promise<void> {
  const free = Array.from({ length: slots }, (_, slot) => slot)
  const hear = (read: Buffer): void => void free.push(...read)
  channel.on('data', hear)
  for (let at = 0; at < source.byteLength; at += pieceBytes) {
    while (free.length === 0) await once(channel, 'data')
    const slot = free.shift() as number
    fs.writeSync(fd, source, at, Math.min(pieceBytes, source.byteLength - at), slot * slotBytes)
    channel.write(Buffer.of(slot))
  }
  while (free.length < slots) await once(channel, 'data')
  channel.off('data', hear)
}

/** Reads as much as `target` has room for. */
export async function receiveThrough(fd: number, channel: Duplex, target: Uint8Array): Promise<void> {
  let at = 0
  await new Promise<void>((resolve) => {
    const hear = (written: Buffer): void => {
      for (const slot of written) {
        const byteLength = Math.min(pieceBytes, target.byteLength - at)
        fs.readSync(fd, target, at, byteLength, slot * slotBytes)
        at += byteLength
      }
      channel.write(written)
      if (at < target.byteLength) return
      channel.off('data', hear)
      resolve()
    }
    channel.on('data', hear)
  })
}
