import type { CheckpointInfo, CheckpointVersion, Digest, Structure } from './state.js'

/** What a put is for. */
export type PutTarget =
  | { readonly kind: 'blob'; readonly digest: Digest }
  | { readonly kind: 'checkpoint'; readonly name: string; readonly requestId: string }

/** What a get wants; version 0 is the newest. */
export type GetTarget =
  | { readonly kind: 'blob'; readonly digest: Digest }
  | { readonly kind: 'checkpoint'; readonly name: string; readonly version: number }

/** A version with the name that it is of. */
export interface NamedVersion {
  readonly name: string
  readonly version: CheckpointVersion
}

/** What each question is answered with. */
export interface Answers {
  /** Send it, or there it is already (with its version, 0 for a blob). */
  readonly putOpened: { readonly kind: 'accepted' } | { readonly kind: 'alreadyStored'; readonly version: number }
  readonly blobStored: null
  readonly checkpointStored: { readonly version: number }
  readonly getOpened:
    | { readonly kind: 'blob'; readonly digest: Digest; readonly byteLength: number }
    | ({ readonly kind: 'checkpoint' } & NamedVersion)
  readonly blobsSought: readonly Digest[]
  readonly checkpointSought: NamedVersion
  /** `more` says whether there are names behind the last one. */
  readonly checkpointsListed: { readonly checkpoints: readonly NamedVersion[]; readonly more: boolean }
  readonly deleteRequested: { readonly versions: number }
  /** Whether the file may be deleted now. */
  readonly collectionDue: boolean
}

/** Who asked, so that the answer finds its way. */
interface Asked {
  readonly callId: number
}

/** What happened. Every event carries its time; nothing in the core looks at a clock. Ids of puts and gets come from the rim. */
export type Event = { readonly atMs: number } & (
  | ({
      readonly kind: 'putOpened'
      readonly putId: number
      readonly target: PutTarget
      readonly byteLength: number
    } & Asked)
  /** The put came to nothing. */
  | { readonly kind: 'putAborted'; readonly putId: number }
  /** The bytes are safe on disk under their digest. */
  | ({
      readonly kind: 'blobStored'
      readonly putId: number
      readonly digest: Digest
      readonly byteLength: number
    } & Asked)
  | ({
      readonly kind: 'checkpointStored'
      readonly putId: number
      readonly requestId: string
      readonly name: string
      readonly digest: Digest
      readonly byteLength: number
      readonly structure: Structure
      readonly info: CheckpointInfo
    } & Asked)
  | ({ readonly kind: 'getOpened'; readonly getId: number; readonly target: GetTarget } & Asked)
  | { readonly kind: 'getClosed'; readonly getId: number }
  | ({ readonly kind: 'blobsSought'; readonly digests: readonly Digest[] } & Asked)
  | ({ readonly kind: 'checkpointSought'; readonly name: string; readonly version: number } & Asked)
  /** Names that start with `prefix` and come behind `after`. */
  | ({
      readonly kind: 'checkpointsListed'
      readonly prefix: string
      readonly after: string
      readonly limit: number
    } & Asked)
  | ({ readonly kind: 'deleteRequested'; readonly name: string; readonly requestId: string } & Asked)
  /** Somebody is about to delete the file of a blob that was garbage when last looked at. */
  | ({ readonly kind: 'collectionDue'; readonly digest: Digest } & Asked)
  /** The file of a blob is not what its name says, or is not there. */
  | { readonly kind: 'blobDamaged'; readonly digest: Digest; readonly health: 'damaged' | 'missing' }
  /** What the disk holds, looked at once at the start. */
  | { readonly kind: 'storageScanned'; readonly blobs: ReadonlyMap<Digest, number> }
)

/** The events of one kind. */
export type EventOf<Kind extends Event['kind']> = Extract<Event, { readonly kind: Kind }>
