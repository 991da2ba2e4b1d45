import type { Checkpoint } from '#libs/proto'

/** A version of a checkpoint, without its bytes. */
export interface CheckpointDescription {
  readonly name: string
  /** From 1, one higher with each save. */
  readonly version: number
  /** How many bytes its value has. */
  readonly byteLength: number
  /** Names the bytes: the same state has the same digest. */
  readonly digest: string
  /** What a later save or delete may say that it expects to find. */
  readonly etag: string
  readonly savedAt: Date
  readonly iteration?: number
  readonly cost?: number
  readonly labels: Readonly<Record<string, string>>
}

/** What the store says of a version, in the words of the SDK. */
export function describeCheckpoint(checkpoint: Checkpoint): CheckpointDescription {
  const { name, version, byteLength, structureByteLength, digest, etag, savedAt, info } = checkpoint
  return {
    name,
    version: Number(version),
    byteLength: Number(byteLength + structureByteLength),
    digest,
    etag,
    savedAt: new Date(Number(savedAt?.seconds ?? 0n) * 1_000 + (savedAt?.nanos ?? 0) / 1e6),
    ...(info?.iteration === undefined ? {} : { iteration: Number(info.iteration) }),
    ...(info?.cost === undefined ? {} : { cost: info.cost }),
    labels: Object.fromEntries(info?.labels ?? []),
  }
}
