import { type Bytes, isSegmented } from '#libs/memory'

/**
 * A body as a message between threads can have it. V8 writes 32 bits of the length of a view, so of more than a segment it says only where
 * they lie: in memory that both threads see, as V8 copies no buffer of that length.
 */
export function inMessage<B extends { readonly bytes: Bytes }>(body: B): B {
  if (!isSegmented(body.bytes)) return body
  const { buffer, byteOffset, byteLength } = body.bytes
  return { ...body, bytes: { buffer, byteOffset, byteLength } }
}
