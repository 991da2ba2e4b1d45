import { type FileHandle, open } from 'node:fs/promises'
import { writeSync } from 'node:fs'
import path from 'node:path'

import { crc32c } from '@node-rs/crc32'

import { syncDirectory } from './durable-file.js'

const markBytes = 12

/**
 * How far appends were acknowledged, beside the store and not synced with each flush: what a crash of the process leaves is
 * exact, what a power cut leaves is at least not too much. A store that ends before it has lost its tail.
 */
export class AcknowledgedMark {
  /** The last flush that is known to have been acknowledged when this was opened; 0 when none is. */
  readonly flush: number
  readonly #file: FileHandle
  readonly #bytes = Buffer.alloc(markBytes)

  private constructor(file: FileHandle, flush: number) {
    this.#file = file
    this.flush = flush
  }

  static async open(folder: string): Promise<AcknowledgedMark> {
    const name = path.join(folder, 'acknowledged')
    const existing = await open(name, 'r+').catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    })
    if (existing) {
      const bytes = Buffer.alloc(markBytes)
      await existing.read(bytes, 0, markBytes, 0)
      // A mark that a power cut left half written proves nothing.
      return new AcknowledgedMark(existing, crc32c(bytes.subarray(4)) === bytes.readUInt32LE(0) ? flushIn(bytes) : 0)
    }
    const file = await open(name, 'w+', 0o600)
    const mark = new AcknowledgedMark(file, 0)
    mark.set(0)
    await file.sync()
    await syncDirectory(folder)
    return mark
  }

  /** Into the system's cache, which takes a few microseconds. */
  set(flush: number): void {
    this.#bytes.writeUIntLE(flush, 4, 6)
    this.#bytes.writeUInt32LE(crc32c(this.#bytes.subarray(4)), 0)
    writeSync(this.#file.fd, this.#bytes, 0, markBytes, 0)
  }

  async close(): Promise<void> {
    await this.#file.close()
  }
}

function flushIn(bytes: Buffer): number {
  return bytes.readUIntLE(4, 6)
}
