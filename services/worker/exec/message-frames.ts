import { DefaultDeserializer, DefaultSerializer } from 'node:v8'

import { allocateLarge, type Bytes, partOf, segmentsOf, writeBytes } from '#libs/memory'

/** Bytes beyond this travel beside the message, in pieces, and are copied once, straight to where they stay. */
const apartBytes = 256 * 1024
const pieceBytes = 4 * 2 ** 20

/** The message as frames: what it says, then the pieces of its large bodies. */
export function framesOf(message: unknown): Uint8Array[] {
  const writer = new MessageWriter()
  writer.writeHeader()
  writer.writeValue(message)
  const frames: Uint8Array[] = [writer.releaseBuffer()]
  for (const body of writer.bodies) {
    frames.push(...segmentsOf(body, pieceBytes))
  }
  return frames
}

/** Puts frames together again. Every array of a message gets a buffer of its own, as if it came from a thread. */
export function createFrameReader(hear: (message: unknown) => void): (frame: Uint8Array) => void {
  let message: unknown
  let open: Bytes[] = []
  let filled = 0
  return (frame) => {
    const [body] = open
    if (body === undefined) {
      const reader = new MessageReader(frame)
      reader.readHeader()
      message = reader.readValue()
      open = reader.bodies
    } else {
      writeBytes(body, frame, filled)
      filled += frame.byteLength
      if (filled < body.byteLength) return
      open.shift()
      filled = 0
    }
    if (open.length === 0) hear(message)
  }
}

/** Node calls `_writeHostObject` for each typed array, and `_readHostObject` where one was. */
class MessageWriter extends DefaultSerializer {
  readonly bodies: Bytes[] = []

  _writeHostObject(array: unknown): void {
    if (!(array instanceof Uint8Array || array instanceof DataView))
      throw new TypeError('a message between processes holds bytes only')
    const isApart = array.byteLength > apartBytes
    this.writeUint32(isApart ? 1 : 0)
    this.writeDouble(array.byteLength)
    if (isApart) this.bodies.push(array)
    else this.writeRawBytes(partOf(array, 0, array.byteLength))
  }
}

class MessageReader extends DefaultDeserializer {
  readonly bodies: Bytes[] = []

  _readHostObject(): Bytes {
    const isApart = this.readUint32() === 1
    const byteLength = this.readDouble()
    if (!isApart) return new Uint8Array(this.readRawBytes(byteLength))
    const body = allocateLarge(byteLength)
    this.bodies.push(body)
    return body
  }
}
