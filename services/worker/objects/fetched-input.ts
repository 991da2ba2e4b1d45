import type { Bytes } from '#libs/memory'
import type { Value } from '#libs/proto'

/** A value that a task's arguments refer to: as it travels, or taken apart. */
export type FetchedInput =
  | { readonly kind: 'payload'; readonly payload: Uint8Array }
  | { readonly kind: 'body'; readonly structure: Value | undefined; readonly bytes: Bytes<ArrayBuffer> }

/** By object id, or `blob:` and its digest. */
export type FetchedInputs = ReadonlyMap<string, FetchedInput>
