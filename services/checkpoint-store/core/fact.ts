import type { Body, CheckpointVersion, Digest, Lease, RememberedAnswer } from './state.js'

/** What a restart must know. Written to the catalogue: a change here needs a new format there. */
export type Fact =
  /** The version is the newest one of its checkpoint. */
  | { readonly kind: 'versionSaved'; readonly name: string; readonly version: CheckpointVersion }
  | { readonly kind: 'versionDropped'; readonly name: string; readonly version: number }
  | { readonly kind: 'leaseTaken'; readonly name: string; readonly lease: Lease }
  | { readonly kind: 'leaseEnded'; readonly name: string }
  /** Tokens up to this one may have been given out. */
  | { readonly kind: 'tokensReserved'; readonly upTo: number }
  /** The blob was put, or used again. Unless it is said, it is kept for its own sake. */
  | { readonly kind: 'blobKept'; readonly atMs: number; readonly body: Body; readonly isClaimed?: true }
  | { readonly kind: 'blobDropped'; readonly digest: Digest }
  /** The blob is kept for somebody, and is no longer. */
  | { readonly kind: 'blobClaimed'; readonly digest: Digest; readonly claimant: string }
  | { readonly kind: 'blobReleased'; readonly digest: Digest; readonly claimant: string }
  | {
      readonly kind: 'requestRemembered'
      readonly shelf: number
      readonly atMs: number
      readonly requestId: string
      readonly answer: RememberedAnswer
    }
  | { readonly kind: 'requestsForgotten'; readonly shelf: number }

/** The facts of one kind. */
export type FactOf<Kind extends Fact['kind']> = Extract<Fact, { readonly kind: Kind }>
