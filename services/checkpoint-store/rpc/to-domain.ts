import { flawOfCheckpointName } from '#libs/domain'
import type { CheckpointInfo as WireInfo, Duration, TransferHeader, TransferOpen } from '#libs/proto'
import { DigestAlgorithm, TransferDirection } from '#libs/proto'
import { keyIn, pageSizeOf, readRequestId, rpcError } from '#libs/rpc'

import type { Claim, EventOf, GetTarget, PruneRule, PutTarget } from '../core/event.js'
import type { CheckpointInfo, Digest } from '../core/state.js'

const maxNameLength = 512
const maxLabels = 64
const maxLabelLength = 1024
const maxDigests = 1_000
const maxEtagLength = 128

// No control characters, lone surrogates, private or unassigned characters, line separators.
const printable = /^[^\p{C}\p{Zl}\p{Zp}]*$/u
const digestPattern = /^[0-9a-f]{64}$/

/** What a put brings, apart from its bytes. */
export type IncomingPut = PutTarget & { readonly info: CheckpointInfo }

/** @throws INVALID_ARGUMENT for whatever does not belong on a stream of puts. */
export function putToDomain(open: TransferOpen, header: TransferHeader): IncomingPut {
  switch (open.target?.$case) {
    case 'blobDigest':
      if (header.digestAlgorithm !== DigestAlgorithm.SHA256) {
        throw invalid('header.digest_algorithm', 'BAD_DIGEST_ALGORITHM', 'a blob is named by its SHA-256: digest it so')
      }
      if (header.structure === undefined) {
        const digest = digestToDomain(open.target.value, 'open.blob_digest')
        const claimant =
          open.claimant === undefined ? {} : { claimant: claimantToDomain(open.claimant, 'open.claimant') }
        return { kind: 'blob', digest, ...claimant, info: { labels: [] } }
      }
      throw invalid('header.structure', 'STRUCTURE_OF_BLOB', 'a blob is plain bytes: save a value as a checkpoint')
    case 'checkpoint': {
      const { name, info, writerToken, etag } = open.target.value
      return {
        kind: 'checkpoint',
        name: nameToDomain(name, 'open.checkpoint.name'),
        requestId: readRequestId(open.requestId, 'open.request_id'),
        writerToken: tokenToDomain(writerToken),
        etag: etagToDomain(etag, 'open.checkpoint.etag'),
        info: infoToDomain(info),
      }
    }
    case 'objectId':
    case 'objects':
    case undefined:
      throw wrongTarget()
    default:
      return open.target satisfies never
  }
}

/** @throws INVALID_ARGUMENT for whatever does not belong on a stream of gets. */
export function getToDomain({ target }: TransferOpen): GetTarget {
  switch (target?.$case) {
    case 'blobDigest':
      return { kind: 'blob', digest: digestToDomain(target.value, 'open.blob_digest') }
    case 'checkpoint':
      return {
        kind: 'checkpoint',
        name: nameToDomain(target.value.name, 'open.checkpoint.name'),
        version: versionToDomain(target.value.version, 'open.checkpoint.version'),
      }
    case 'objectId':
    case 'objects':
    case undefined:
      throw wrongTarget()
    default:
      return target satisfies never
  }
}

/** What a stream that only goes the other way says to a transfer. */
export function wrongDirection(direction: TransferDirection): Error {
  const message =
    direction === TransferDirection.PUT
      ? 'Load only gives: open a put on a Save stream'
      : 'Save only takes: open a get on a Load stream'
  return invalid('open.direction', 'WRONG_DIRECTION', message)
}

/** The name of a checkpoint. It never becomes a path of the disk. */
export function nameToDomain(name: string, field = 'name'): string {
  const flaw = flawOfCheckpointName(name)
  if (flaw !== undefined) throw invalid(field, 'BAD_NAME', flaw)
  return name
}

export function versionToDomain(version: bigint, field = 'version'): number {
  if (version <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(version)
  throw invalid(field, 'BAD_VERSION', `there is no version ${version}`)
}

function tokenToDomain(token: bigint): number {
  if (token <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(token)
  throw invalid('open.checkpoint.writer_token', 'BAD_TOKEN', `no lease has the token ${token}: acquire one`)
}

export function etagToDomain(etag: string, field = 'etag'): string {
  if (etag.length <= maxEtagLength) return etag
  throw invalid(field, 'BAD_ETAG', `an etag has at most ${maxEtagLength} characters: give back what a list or get said`)
}

/** Who takes a name over; only shown. */
export function holderToDomain(holder: string): string {
  if (holder.length <= maxNameLength && printable.test(holder)) return holder
  throw invalid('holder', 'BAD_HOLDER', `a holder is at most ${maxNameLength} printable characters`)
}

export function labelsToDomain(labels: ReadonlyMap<string, string>): readonly (readonly [string, string])[] {
  if (labels.size <= maxLabels) return [...labels]
  throw invalid('labels', 'TOO_MANY_LABELS', `${labels.size} labels, but at most ${maxLabels} can be asked for`)
}

/** @throws INVALID_ARGUMENT for a prune that nobody can mean. */
export function pruneRuleToDomain(request: {
  readonly prefix: string
  readonly keepVersions: number
  readonly keepFor?: Duration | undefined
  readonly labels: ReadonlyMap<string, string>
}): PruneRule {
  const { prefix, keepVersions, keepFor, labels } = request
  const keepForMs = keepFor === undefined ? 0 : Number(keepFor.seconds) * 1_000 + keepFor.nanos / 1e6
  if (keepForMs < 0) throw invalid('keep_for', 'BAD_DURATION', 'keep_for must not be negative')
  return { prefix, keepVersions, keepForMs, labels: labelsToDomain(labels) }
}

export function digestsToDomain(digests: readonly string[]): readonly Digest[] {
  if (digests.length > maxDigests) {
    throw invalid('digests', 'TOO_MANY_DIGESTS', `${digests.length} digests, but at most ${maxDigests} at a time`)
  }
  return digests.map((digest, i) => digestToDomain(digest, `digests[${i}]`))
}

/** Which names a page begins behind, and how many it has. */
export function pageToDomain(request: {
  readonly prefix: string
  readonly pageSize: number
  readonly pageToken: string
  readonly labels: ReadonlyMap<string, string>
  readonly allVersions: boolean
}): Omit<EventOf<'checkpointsListed'>, 'kind' | 'atMs' | 'callId'> {
  const limit = pageSizeOf(request.pageSize)
  const { prefix, pageToken, allVersions } = request
  const labels = labelsToDomain(request.labels)
  if (pageToken === '') return { prefix, after: '', limit, labels, allVersions }
  const after = keyIn(pageToken)
  if (after.startsWith(prefix)) return { prefix, after, limit, labels, allVersions }
  const message = 'page_token is of a list with another prefix: list again from the first page'
  throw invalid('page_token', 'BAD_PAGE_TOKEN', message)
}

function infoToDomain(info: WireInfo | undefined): CheckpointInfo {
  const labels = [...(info?.labels ?? [])]
  const tooLong = labels.find(([key, value]) => key.length > maxLabelLength || value.length > maxLabelLength)
  if (labels.length > maxLabels || tooLong) {
    const message = `at most ${maxLabels} labels of at most ${maxLabelLength} characters each: put more into the state`
    throw invalid('open.checkpoint.info.labels', 'TOO_MANY_LABELS', message)
  }
  return {
    ...(info?.iteration === undefined ? {} : { iteration: info.iteration }),
    ...(info?.cost === undefined ? {} : { cost: info.cost }),
    labels,
  }
}

/** Who needs blobs no longer. */
export function claimsToDomain(claims: readonly { readonly digest: string; readonly claimant: string }[]): Claim[] {
  if (claims.length > maxDigests) {
    throw invalid('claims', 'TOO_MANY_CLAIMS', `${claims.length} claims, but at most ${maxDigests} at a time`)
  }
  return claims.map(({ digest, claimant }, i) => ({
    digest: digestToDomain(digest, `claims[${i}].digest`),
    claimant: claimantToDomain(claimant, `claims[${i}].claimant`),
  }))
}

function claimantToDomain(claimant: string, field: string): string {
  if (claimant !== '' && claimant.length <= maxNameLength && printable.test(claimant)) return claimant
  throw invalid(field, 'BAD_CLAIMANT', `a claimant is 1 to ${maxNameLength} printable characters`)
}

function digestToDomain(digest: string, field: string): Digest {
  if (digestPattern.test(digest)) return digest
  const message = `'${digest.slice(0, 80)}' is no SHA-256 digest: write 64 lower-case hexadecimal digits`
  throw invalid(field, 'BAD_DIGEST', message)
}

function wrongTarget(): Error {
  return invalid(
    'open.target',
    'WRONG_TARGET',
    'the checkpoint-store holds blobs and checkpoints; objects are with workers',
  )
}

function invalid(field: string, reason: string, message: string): Error {
  return rpcError('INVALID_ARGUMENT', reason, message, { fieldViolations: [{ field, description: message }] })
}
