import type { CheckpointVersion, Digest, RememberedAnswer } from './state.js'

/** What a restart must know. Written to the catalogue: a change here needs a new format there. */
export type Fact =
  /** The version is the newest one of its checkpoint; `requestId` is empty in a snapshot. */
  | {
      readonly kind: 'checkpointSaved'
      readonly requestId: string
      readonly name: string
      readonly version: CheckpointVersion
    }
  | { readonly kind: 'versionDropped'; readonly name: string; readonly version: number }
  | { readonly kind: 'checkpointDeleted'; readonly atMs: number; readonly requestId: string; readonly name: string }
  /** The blob was put for its own sake. */
  | { readonly kind: 'blobKept'; readonly atMs: number; readonly digest: Digest; readonly byteLength: number }
  | { readonly kind: 'blobUsed'; readonly atMs: number; readonly digest: Digest }
  | { readonly kind: 'blobDropped'; readonly digest: Digest }
  /** Only in a snapshot. */
  | {
      readonly kind: 'requestRemembered'
      readonly atMs: number
      readonly requestId: string
      readonly answer: RememberedAnswer
    }

/** The facts of one kind. */
export type FactOf<Kind extends Fact['kind']> = Extract<Fact, { readonly kind: Kind }>
