import type { FileHandle } from 'node:fs/promises'

import { crc32c } from '@node-rs/crc32'

// A record: magic, CRC-32C of all that follows, length of the payload, payload. Numbers are little-endian, 32 bits.
// The payload holds the facts of one flush, each with its length before it.
const magic = Buffer.from('JRN1')
const headerBytes = 12
const windowBytes = 2 ** 20

/** One flush as it lies in the file. */
export function encodeRecord(facts: readonly Uint8Array[]): Buffer {
  const payloadBytes = facts.reduce((sum, fact) => sum + 4 + fact.byteLength, 0)
  const record = Buffer.allocUnsafe(headerBytes + payloadBytes)
  record.set(magic, 0)
  record.writeUInt32LE(payloadBytes, 8)
  let at = headerBytes
  for (const fact of facts) {
    at = record.writeUInt32LE(fact.byteLength, at)
    record.set(fact, at)
    at += fact.byteLength
  }
  record.writeUInt32LE(crc32c(record.subarray(8)), 4)
  return record
}

/** The facts of a payload; views of it. */
export function factsOf(payload: Buffer): Buffer[] {
  const facts: Buffer[] = []
  for (let at = 0; at < payload.byteLength;) {
    const start = at + 4
    at = start + payload.readUInt32LE(at)
    facts.push(payload.subarray(start, at))
  }
  return facts
}

/** Reads the records of a file from front to back, or finds one behind damage. */
export class RecordReader {
  readonly #file: FileHandle
  readonly #end: number
  #window: Buffer = Buffer.alloc(0)
  #windowStart = 0

  /** Nothing from `end` on is looked at. */
  constructor(file: FileHandle, end: number) {
    this.#file = file
    this.#end = end
  }

  /** The payload of the record at this offset and where the next one starts; nothing when no whole record lies there. */
  async read(offset: number): Promise<{ payload: Buffer; next: number } | undefined> {
    const header = await this.#bytes(offset, headerBytes)
    if (header?.subarray(0, 4).equals(magic) !== true) return undefined
    const checksum = header.readUInt32LE(4)
    const payloadBytes = header.readUInt32LE(8)
    const checked = await this.#bytes(offset + 8, 4 + payloadBytes)
    if (checked === undefined || crc32c(checked) !== checksum) return undefined
    return { payload: checked.subarray(4), next: offset + headerBytes + payloadBytes }
  }

  /** Where the first whole record at or behind this offset starts. */
  async find(offset: number): Promise<number | undefined> {
    for (let at = offset; at + headerBytes <= this.#end;) {
      const bytes = await this.#bytes(at, Math.min(windowBytes, this.#end - at))
      const found = bytes?.indexOf(magic) ?? -1
      if (bytes === undefined || found < 0) {
        // The magic may lie across the edge of two windows.
        at += Math.max(1, (bytes?.byteLength ?? 0) - magic.byteLength + 1)
      } else if ((await this.read(at + found)) !== undefined) {
        return at + found
      } else {
        at += found + 1
      }
    }
    return undefined
  }

  async #bytes(offset: number, length: number): Promise<Buffer | undefined> {
    if (offset + length > this.#end) return undefined
    const start = offset - this.#windowStart
    if (start >= 0 && start + length <= this.#window.byteLength) return this.#window.subarray(start, start + length)
    const window = Buffer.allocUnsafe(Math.min(Math.max(length, windowBytes), this.#end - offset))
    let filled = 0
    while (filled < window.byteLength) {
      const { bytesRead } = await this.#file.read(window, filled, window.byteLength - filled, offset + filled)
      if (bytesRead === 0) return undefined
      filled += bytesRead
    }
    this.#window = window
    this.#windowStart = offset
    return window.subarray(0, length)
  }
}
