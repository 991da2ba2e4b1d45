import { StreamDecoder } from '@grpc/grpc-js/build/src/stream-decoder.js'

import { takeFrame } from './frame-memory.js'

/** Compressed flag and length. */
const prefixBytes = 5

/** Puts the messages of one call together, each with its prefix, from pieces of any length. */
export class FrameReader {
  readonly #mostBytes: number
  readonly #prefix = Buffer.alloc(prefixBytes)
  #prefixLength = 0
  #frame: Buffer | undefined
  #filled = 0

  /** `mostBytes` is how long a message may be, or -1. */
  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes
  }

  /**
   * Takes the next piece; the answer are the frames that it completes, each in memory of its own.
   *
   * @throws Error for a message that is too long.
   */
  read(piece: Buffer): Buffer[] {
    const frames: Buffer[] = []
    for (let at = 0; at < piece.byteLength;) {
      if (this.#frame === undefined) {
        const taken = piece.copy(this.#prefix, this.#prefixLength, at, at + prefixBytes - this.#prefixLength)
        this.#prefixLength += taken
        at += taken
        if (this.#prefixLength < prefixBytes) break
        this.#frame = this.#begin()
      }
      const taken = piece.copy(this.#frame, this.#filled, at)
      this.#filled += taken
      at += taken
      if (this.#filled < this.#frame.byteLength) continue
      frames.push(this.#frame)
      this.#frame = undefined
      this.#prefixLength = 0
    }
    return frames
  }

  #begin(): Buffer {
    const messageBytes = this.#prefix.readUInt32BE(1)
    if (this.#mostBytes !== -1 && messageBytes > this.#mostBytes)
      throw new Error(`Received message larger than max (${messageBytes} vs ${this.#mostBytes})`)
    const frame = takeFrame(prefixBytes + messageBytes)
    this.#filled = this.#prefix.copy(frame)
    return frame
  }
}

type Decoder = Pick<StreamDecoder, 'write'> & { readonly maxReadMessageLength: number }

const readers = new WeakMap<Decoder, FrameReader>()
let isInstalled = false

/**
 * Has grpc-js put messages together in memory that is used again. It has no option for that: it joins the pieces of each in a fresh
 * buffer, 256 MB of garbage for 256 MB of chunks, which has V8 mark its heap four times. Not public API: without it, or when
 * grpc-js reads its messages otherwise, only that is lost.
 */
export function readIntoUsedMemory(): void {
  if (isInstalled) return
  isInstalled = true
  const decoder = StreamDecoder.prototype as unknown as Decoder
  decoder.write = function (this: Decoder, piece: Buffer): Buffer[] {
    let reader = readers.get(this)
    if (reader === undefined) {
      reader = new FrameReader(this.maxReadMessageLength)
      readers.set(this, reader)
    }
    return reader.read(piece)
  }
}
