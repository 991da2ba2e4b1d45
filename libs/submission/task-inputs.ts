import type { Bytes } from '#libs/memory'
import type { Value } from '#libs/proto'

/** A value that a task's arguments refer to: as it travels, or taken apart. */
export type InputValue = { readonly kind: 'payload'; readonly payload: Uint8Array } | InputBody

/** A value taken apart. Its bytes may lie in memory that tasks have in common. */
export interface InputBody {
  readonly kind: 'body'
  readonly structure: Value | undefined
  readonly bytes: Bytes
}

/** By object id, or `blob:` and its digest. */
export type InputValues = ReadonlyMap<string, InputValue>

/** Whether others may see the bytes, too. */
export function isInSharedMemory({ buffer }: Bytes): boolean {
  return buffer instanceof SharedArrayBuffer
}
