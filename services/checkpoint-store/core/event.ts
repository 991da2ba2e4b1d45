import type { Body, CheckpointInfo, CheckpointVersion, Chunk, Digest } from './state.js'

/** Where a save goes, and what it may overwrite. */
export interface SaveTarget {
  readonly name: string
  readonly requestId: string
  /** Of the writer's lease; 0 for a save without one. */
  readonly writerToken: number
  /** The newest version must be this one; `0` for none; empty for whichever. */
  readonly etag: string
}

/** What a put is for. */
export type PutTarget =
  | { readonly kind: 'blob'; readonly digest: Digest; readonly claimant?: string }
  | ({ readonly kind: 'checkpoint' } & SaveTarget)

/** A blob that is kept for somebody. */
export interface Claim {
  readonly digest: Digest
  readonly claimant: string
}

/** What a get wants; version 0 is the newest. */
export type GetTarget =
  | { readonly kind: 'blob'; readonly digest: Digest }
  | { readonly kind: 'checkpoint'; readonly name: string; readonly version: number }

/** A version with the name that it is of. */
export interface NamedVersion {
  readonly name: string
  readonly version: CheckpointVersion
}

/** Which versions to prune: those under a prefix that none of these keeps. */
export interface PruneRule {
  readonly prefix: string
  readonly keepVersions: number
  /** Versions of this age and less stay. */
  readonly keepForMs: number
  /** Only versions that have all of these labels. */
  readonly labels: readonly (readonly [key: string, value: string])[]
}

/** What each question is answered with. */
export interface Answers {
  /** Send it, or there it is already (with its version, 0 for a blob). */
  readonly putOpened: { readonly kind: 'accepted' } | { readonly kind: 'alreadyStored'; readonly version: number }
  /** Whether the chunk is here already; then it stays until the put is over. */
  readonly chunkSought: boolean
  readonly blobStored: null
  readonly blobsReleased: null
  readonly checkpointStored: { readonly version: number }
  readonly checkpointCame: { readonly version: number }
  readonly leaseRequested: { readonly token: number }
  readonly getOpened: { readonly kind: 'blob'; readonly body: Body } | ({ readonly kind: 'checkpoint' } & NamedVersion)
  readonly blobsSought: readonly Digest[]
  readonly checkpointSought: NamedVersion
  /** `more` says whether there are names behind the last one. */
  readonly checkpointsListed: { readonly checkpoints: readonly NamedVersion[]; readonly more: boolean }
  readonly deleteRequested: { readonly versions: number }
  /** What was pruned, or would be. */
  readonly pruneRequested: { readonly versions: readonly NamedVersion[]; readonly freedBytes: number }
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
  | ({ readonly kind: 'chunkSought'; readonly putId: number; readonly digest: Digest } & Asked)
  /** The put came to nothing. Files of these chunks may have been left by it. */
  | { readonly kind: 'putAborted'; readonly putId: number; readonly orphans: readonly Digest[] }
  /** The bytes are safe on disk. */
  | ({
      readonly kind: 'blobStored'
      readonly putId: number
      readonly body: Body
      readonly claimant?: string
    } & Asked)
  /** Nobody needs to keep the blobs for these any more. */
  | ({ readonly kind: 'blobsReleased'; readonly claims: readonly Claim[] } & Asked)
  | ({
      readonly kind: 'checkpointStored'
      readonly putId: number
      readonly target: SaveTarget
      readonly body: Body
      readonly structure: Body | undefined
      readonly info: CheckpointInfo
    } & Asked)
  /** A small one came whole: it lies in the catalogue alone, so there is nothing to open and to wait for. */
  | ({
      readonly kind: 'checkpointCame'
      readonly target: SaveTarget
      readonly body: Body
      readonly structure: Body | undefined
      readonly info: CheckpointInfo
    } & Asked)
  | ({
      readonly kind: 'leaseRequested'
      readonly name: string
      readonly holder: string
      readonly requestId: string
    } & Asked)
  | ({ readonly kind: 'getOpened'; readonly getId: number; readonly target: GetTarget } & Asked)
  | { readonly kind: 'getClosed'; readonly getId: number }
  | ({ readonly kind: 'blobsSought'; readonly digests: readonly Digest[] } & Asked)
  | ({ readonly kind: 'checkpointSought'; readonly name: string; readonly version: number } & Asked)
  /** Names that start with `prefix` and come behind `after`: the newest version of each that has these labels, or all. */
  | ({
      readonly kind: 'checkpointsListed'
      readonly prefix: string
      readonly after: string
      readonly limit: number
      readonly labels: readonly (readonly [key: string, value: string])[]
      readonly allVersions: boolean
    } & Asked)
  /** Version 0 for all of them. */
  | ({
      readonly kind: 'deleteRequested'
      readonly name: string
      readonly version: number
      readonly etag: string
      readonly requestId: string
    } & Asked)
  | ({ readonly kind: 'pruneRequested'; readonly rule: PruneRule; readonly isRehearsal: boolean } & Asked)
  /** Time to look for what is too old. */
  | { readonly kind: 'sweepDue' }
  /** Somebody is about to delete the file of a chunk that was garbage when last looked at. */
  | ({ readonly kind: 'collectionDue'; readonly digest: Digest } & Asked)
  /** Somebody read the file of a chunk, or found none. */
  | { readonly kind: 'chunkExamined'; readonly digest: Digest; readonly health: Chunk['health'] }
  /** What the disk holds, looked at once at the start. */
  | { readonly kind: 'storageScanned'; readonly chunks: ReadonlyMap<Digest, number> }
)

/** The events of one kind. */
export type EventOf<Kind extends Event['kind']> = Extract<Event, { readonly kind: Kind }>
