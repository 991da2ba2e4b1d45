import type { Reference, Value } from '#libs/proto'

/** A value that a task's arguments refer to: as it travels, or taken apart. */
export type FetchedInput =
  | { readonly kind: 'payload'; readonly payload: Uint8Array }
  | { readonly kind: 'body'; readonly structure: Value | undefined; readonly bytes: Uint8Array<ArrayBuffer> }

/** By object id, or `blob:` and its digest. */
export type FetchedInputs = ReadonlyMap<string, FetchedInput>

/** The name under which the thread looks an input up. */
export function nameOfReference({ target }: Reference, jobId: string): string {
  switch (target?.$case) {
    case 'objectId':
      return target.value
    case 'taskIndex':
      return `${jobId}/${target.value}`
    case 'blob':
      return `blob:${target.value.digest}`
    case undefined:
      return ''
    default:
      return target satisfies never
  }
}
