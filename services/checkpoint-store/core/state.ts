/** SHA-256 of a blob's bytes, lower-case hexadecimal: its name. */
export type Digest = string

/** What is remembered of a checkpoint beside its bytes. */
export interface CheckpointInfo {
  /** The solver's iteration, when it said one. */
  readonly iteration?: bigint
  /** The cost so far, when the solver said one; any double. */
  readonly cost?: number
  readonly labels: readonly (readonly [key: string, value: string])[]
}

/** The serialized value whose tensors lie in the body. Small ones lie in the catalogue, others are blobs themselves. */
export type Structure =
  | { readonly kind: 'none' }
  | { readonly kind: 'inline'; readonly bytes: Uint8Array }
  | { readonly kind: 'blob'; readonly digest: Digest; readonly byteLength: number }

/** One version of a checkpoint. Never changes. */
export interface CheckpointVersion {
  readonly version: number
  /** Of the body. */
  readonly digest: Digest
  readonly byteLength: number
  readonly structure: Structure
  readonly info: CheckpointInfo
  readonly savedAtMs: number
}

export interface Checkpoint {
  readonly name: string
  /** The versions kept, oldest first; never empty. */
  readonly versions: CheckpointVersion[]
}

/**
 * A blob of the disk. One that is neither kept nor referenced is garbage: it stays known until its file is deleted, so that
 * a reader can finish.
 */
export interface Blob {
  readonly digest: Digest
  readonly byteLength: number
  /** Whether somebody put it for its own sake (a bundle, a large input), not as a part of a checkpoint. */
  kept: boolean
  /** How many versions it is a part of; a version may count twice. */
  references: number
  /** For kept ones: when it was last put or read, to within `usePrecisionMs`. */
  lastUsedMs: number
  /** How many transfers read it now. Not durable. */
  readers: number
  /** What is known of its file. Not durable. */
  health: 'sound' | 'damaged' | 'missing'
}

/** The first answer to a mutating request, for its duplicates. */
export type RememberedAnswer =
  | { readonly kind: 'saved'; readonly name: string; readonly version: number }
  | { readonly kind: 'deleted'; readonly name: string; readonly versions: number }

/** The rules that a store is run by. */
export interface Policy {
  /** How many versions of each checkpoint are kept. */
  readonly keepVersions: number
  /** How many bytes all blobs together may have. */
  readonly maxDiskBytes: number
  /** A kept blob that was used within this time is never pruned: somebody is about to use it again. */
  readonly pruneAfterMs: number
  /** How long, and how many, answers are remembered for duplicates. */
  readonly rememberMs: number
  readonly rememberRequests: number
}

export const defaultPolicy: Policy = {
  keepVersions: 3,
  maxDiskBytes: Infinity,
  pruneAfterMs: 3_600_000,
  rememberMs: 3_600_000,
  rememberRequests: 100_000,
}

/** Uses of a kept blob closer together than this are one: reading must not cost a flush each time. */
export const usePrecisionMs = 600_000

/** Everything that the store knows. One owner, the loop, changes it. */
export interface State {
  readonly policy: Policy
  readonly checkpoints: Map<string, Checkpoint>
  /** The names of the checkpoints, sorted. */
  readonly names: string[]
  readonly blobs: Map<Digest, Blob>
  /** In the order of answering. */
  readonly requests: Map<string, { readonly atMs: number; readonly answer: RememberedAnswer }>
  /** The bytes of all blobs but garbage. */
  liveBytes: number
  /** Puts under way, by id: the bytes that they will take. Not durable. */
  readonly puts: Map<number, number>
  /** The sum of the above. */
  reservedBytes: number
  /** Gets under way, by id: the blobs that they read. Not durable. */
  readonly gets: Map<number, readonly Digest[]>
}

export function createState(policy: Policy = defaultPolicy): State {
  return {
    policy,
    checkpoints: new Map(),
    names: [],
    blobs: new Map(),
    requests: new Map(),
    liveBytes: 0,
    puts: new Map(),
    reservedBytes: 0,
    gets: new Map(),
  }
}

/** Whether anything needs the blob. */
export function isLive(blob: Blob): boolean {
  return blob.kept || blob.references > 0
}

/** The blobs that a version is made of. */
export function partsOf({
  digest,
  byteLength,
  structure,
}: CheckpointVersion): { digest: Digest; byteLength: number }[] {
  const body = { digest, byteLength }
  return structure.kind === 'blob' ? [body, { digest: structure.digest, byteLength: structure.byteLength }] : [body]
}
