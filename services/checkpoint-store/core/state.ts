/** SHA-256, lower-case hexadecimal. */
export type Digest = string

/** What is remembered of a checkpoint beside its bytes. */
export interface CheckpointInfo {
  /** The solver's iteration, when it said one. */
  readonly iteration?: bigint
  /** The cost so far, when the solver said one; any double. */
  readonly cost?: number
  readonly labels: readonly (readonly [key: string, value: string])[]
}

/** A piece of a body that lies on disk under its digest, once however many bodies have it. */
export interface ChunkRef {
  readonly digest: Digest
  readonly byteLength: number
  /** xxh64 of the bytes, 16 hexadecimal digits: reading checks it, ten times as fast as the digest. */
  readonly checksum: string
}

/** Where the bytes of a body are: short ones in the catalogue, so that saving them costs no file. */
export type Content =
  | { readonly kind: 'inline'; readonly bytes: Uint8Array }
  | { readonly kind: 'chunks'; readonly chunks: readonly ChunkRef[] }

/** Bytes that are kept. */
export interface Body {
  /** Of a blob: SHA-256 of the bytes. Else that too up to one chunk, and above it SHA-256 of the chunks' SHA-256s. */
  readonly digest: Digest
  readonly byteLength: number
  /** xxh64 of all bytes, 16 hexadecimal digits. */
  readonly checksum: string
  readonly content: Content
}

/** One version of a checkpoint. Never changes. */
export interface CheckpointVersion {
  readonly version: number
  readonly body: Body
  /** The serialized value whose tensors lie in the body. */
  readonly structure: Body | undefined
  readonly info: CheckpointInfo
  readonly savedAtMs: number
  /** Of the lease that it was saved under; 0 for none. */
  readonly writerToken: number
}

export interface Checkpoint {
  readonly name: string
  /** The versions kept, oldest first; never empty. */
  readonly versions: CheckpointVersion[]
}

/** Who writes under a name: its token is higher than every one before it. */
export interface Lease {
  readonly token: number
  readonly holder: string
  readonly atMs: number
}

/** Bytes that somebody put, named by their SHA-256: a bundle, a large input, a large result. */
export interface Blob {
  readonly body: Body
  /** It is kept for those who claim it, and goes with the last of them; else it is kept for its own sake. */
  readonly isClaimed: boolean
  /** When it was last put or read, to within `usePrecisionMs`. */
  readonly lastUsedMs: number
}

/**
 * A file of the disk. One that nothing refers to is garbage: it stays known until its file is deleted, so that a reader can
 * finish.
 */
export interface Chunk {
  readonly digest: Digest
  readonly byteLength: number
  /** How often bodies have it; a body may count twice. */
  references: number
  /** How many transfers rely on it now. Not durable. */
  pins: number
  /** What is known of its file. Not durable. */
  health: 'sound' | 'damaged' | 'missing'
}

/** The first answer to a mutating request, for its duplicates. */
export type RememberedAnswer =
  | { readonly kind: 'saved'; readonly name: string; readonly version: number }
  | { readonly kind: 'deleted'; readonly name: string; readonly versions: number }
  | { readonly kind: 'leased'; readonly name: string; readonly token: number }

/** The rules that a store is run by. */
export interface Policy {
  /** A version is dropped when it is not among the last so many of its name, older than `keepForMs`, and has no label of these. */
  readonly keepVersions: number
  readonly keepForMs: number
  readonly keepLabels: readonly string[]
  /** The checkpoints of a task (`jobs/…`) are deleted so long after the last save, unless they have such a label. */
  readonly keepJobsForMs: number
  /** A blob that is kept for those who claim it goes all the same when nobody has used it for so long. */
  readonly keepResultsForMs: number
  /** How many bytes all chunks together may have. */
  readonly maxDiskBytes: number
  /** A blob that was used within this time is never pruned: somebody is about to use it again. */
  readonly pruneAfterMs: number
  /** How long, and how many, answers are remembered for duplicates. */
  readonly rememberMs: number
  readonly rememberRequests: number
}

const hourMs = 3_600_000

export const defaultPolicy: Policy = {
  keepVersions: 3,
  keepForMs: 0,
  keepLabels: ['keep'],
  keepJobsForMs: 30 * 24 * hourMs,
  keepResultsForMs: 30 * 24 * hourMs,
  maxDiskBytes: Infinity,
  pruneAfterMs: hourMs,
  rememberMs: hourMs,
  rememberRequests: 100_000,
}

/** Uses of a blob closer together than this are one: reading must not cost a flush each time. */
export const usePrecisionMs = 600_000

/** A lease under which nothing was saved is forgotten after this. */
export const unusedLeaseMs = 24 * hourMs

/** Requests are remembered, and forgotten, by the shelf. */
export interface Shelf {
  readonly number: number
  readonly sinceMs: number
  readonly requestIds: string[]
}

/** Everything that the store knows. One owner, the loop, changes it. */
export interface State {
  readonly policy: Policy
  readonly checkpoints: Map<string, Checkpoint>
  /** The names of the checkpoints, sorted. */
  readonly names: string[]
  readonly leases: Map<string, Lease>
  /** The highest token given out. Not durable. */
  lastToken: number
  /** How far tokens may be given out without remembering it again. */
  reservedTokens: number
  readonly blobs: Map<Digest, Blob>
  /** For whom each blob is kept, as far as it is for somebody. */
  readonly claims: Map<Digest, Set<string>>
  readonly chunks: Map<Digest, Chunk>
  readonly requests: Map<string, RememberedAnswer>
  /** Oldest first. */
  readonly shelves: Shelf[]
  /** The bytes of all chunks but garbage. */
  liveBytes: number
  /** Puts under way, by id: the bytes that they will take. Not durable. */
  readonly puts: Map<number, number>
  /** The sum of the above. */
  reservedBytes: number
  /** The chunks that transfers rely on, by id. Not durable. */
  readonly pins: Map<string, Digest[]>
}

export function createState(policy: Policy = defaultPolicy): State {
  return {
    policy,
    checkpoints: new Map(),
    names: [],
    leases: new Map(),
    lastToken: 0,
    reservedTokens: 0,
    blobs: new Map(),
    claims: new Map(),
    chunks: new Map(),
    requests: new Map(),
    shelves: [],
    liveBytes: 0,
    puts: new Map(),
    reservedBytes: 0,
    pins: new Map(),
  }
}

/** The chunks that bodies are made of; one may come twice. */
export function chunksOf(...bodies: readonly (Body | undefined)[]): readonly ChunkRef[] {
  return bodies.flatMap((body) => (body?.content.kind === 'chunks' ? body.content.chunks : []))
}

/** The chunks that a version is made of. */
export function chunksOfVersion({ body, structure }: CheckpointVersion): readonly ChunkRef[] {
  return chunksOf(body, structure)
}

/** How many bytes a version has, wherever they lie. */
export function sizeOf({ body, structure }: Pick<CheckpointVersion, 'body' | 'structure'>): number {
  return body.byteLength + (structure?.byteLength ?? 0)
}

/** Names what a version is, for saves that must not overwrite another's: version and the start of the digest. */
export function etagOf({ version, body }: CheckpointVersion): string {
  return `${version}-${body.digest.slice(0, 16)}`
}
