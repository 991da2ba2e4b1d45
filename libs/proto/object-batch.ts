import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire'

import { ObjectBatch } from './gen/costate/types/v1/transfer.js'

/** The tag of an id: field 1, length-delimited. */
const objectIdTag = (1 << 3) | 2
/** A length below it is one byte. */
const shortLength = 0x80

const generated = { ...ObjectBatch }

/** A thousand ids at a time: the generated code makes views of each, this does not. The bytes are the same. */
ObjectBatch.encode = (message, writer = new BinaryWriter()) => {
  const { objectIds } = message
  let length = 0
  for (const id of objectIds) {
    const idBytes = Buffer.byteLength(id)
    if (idBytes >= shortLength) return generated.encode(message, writer)
    length += 2 + idBytes
  }
  const bytes = Buffer.allocUnsafe(length)
  let at = 0
  for (const id of objectIds) {
    const idBytes = bytes.write(id, at + 2)
    bytes[at] = objectIdTag
    bytes[at + 1] = idBytes
    at += 2 + idBytes
  }
  return writer.raw(bytes)
}

ObjectBatch.decode = (input, length) => {
  const reader = input instanceof BinaryReader ? input : new BinaryReader(input)
  const { buf } = reader as unknown as { readonly buf: Uint8Array }
  const start = reader.pos
  const end = length === undefined ? reader.len : start + length
  const objectIds: string[] = []
  let at = start
  while (at < end && end <= reader.len && Buffer.isBuffer(buf)) {
    const idBytes = buf[at + 1] ?? shortLength
    if (buf[at] !== objectIdTag || idBytes >= shortLength || at + 2 + idBytes > end) break
    objectIds.push(buf.toString('utf8', at + 2, at + 2 + idBytes))
    at += 2 + idBytes
  }
  if (at !== end) return generated.decode(reader, length)
  reader.pos = end
  return { objectIds }
}
