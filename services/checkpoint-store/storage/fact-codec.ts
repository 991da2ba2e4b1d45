import type { FactSubject, SubjectCodec } from '#libs/journal'

import type { Fact, FactOf } from '../core/fact.js'
import type { Body, CheckpointVersion, Content } from '../core/state.js'

/**
 * Facts as JSON, so that a catalogue can be read with any tool; behind a zero byte, which JSON has none of, the bytes of the
 * bodies that lie in the catalogue. What else JSON has no word for is text: 64-bit integers in decimal, a cost in the words of
 * JavaScript (`NaN`, `-Infinity`, `-0`).
 */
export const factCodec: SubjectCodec<Fact> = {
  encode: (fact) => {
    const json = JSON.stringify(toStored(fact))
    const bodies = inlineBytesOf(fact)
    return bodies.length === 0 ? Buffer.from(json) : Buffer.concat([Buffer.from(`${json}\0`), ...bodies])
  },
  decode: (bytes) => {
    const end = bytes.indexOf(0)
    const json = Buffer.from(bytes.buffer, bytes.byteOffset, end < 0 ? bytes.byteLength : end).toString()
    const stored = JSON.parse(json) as StoredFact
    if (!knownKinds.has(stored.kind)) {
      throw new Error(
        `the catalogue holds a fact '${stored.kind}', which this version does not know: upgrade the checkpoint-store`,
      )
    }
    return fromStored(stored, end < 0 ? new Uint8Array(0) : bytes.subarray(end + 1))
  },
  subjectOf,
}

function inlineBytesOf(fact: Fact): Uint8Array[] {
  const bodies =
    fact.kind === 'blobKept'
      ? [fact.body]
      : fact.kind === 'versionSaved'
        ? [fact.version.body, fact.version.structure]
        : []
  return bodies.flatMap((body) => (body?.content.kind === 'inline' ? [body.content.bytes] : []))
}

/** What a fact is about: each version is a subject of its own, so that what is dropped leaves nothing. */
export function subjectOf(fact: Fact): FactSubject {
  switch (fact.kind) {
    case 'versionSaved':
      return { name: `version ${fact.name}@${fact.version.version}`, does: 'adds' }
    case 'versionDropped':
      return { name: `version ${fact.name}@${fact.version}`, does: 'ends' }
    case 'leaseTaken':
      return { name: `lease ${fact.name}`, does: 'replaces' }
    case 'leaseEnded':
      return { name: `lease ${fact.name}`, does: 'ends' }
    case 'tokensReserved':
      return { name: 'tokens', does: 'replaces' }
    case 'blobKept':
      return { name: `blob ${fact.body.digest}`, does: 'replaces' }
    case 'blobDropped':
      return { name: `blob ${fact.digest}`, does: 'ends' }
    case 'blobClaimed':
      return { name: `claim ${fact.digest} ${fact.claimant}`, does: 'replaces' }
    case 'blobReleased':
      return { name: `claim ${fact.digest} ${fact.claimant}`, does: 'ends' }
    case 'requestRemembered':
      return { name: `requests ${fact.shelf}`, does: 'adds' }
    case 'requestsForgotten':
      return { name: `requests ${fact.shelf}`, does: 'ends' }
    default:
      return fact satisfies never
  }
}

type StoredContent = Exclude<Content, { kind: 'inline' }> | { readonly kind: 'inline' }
type StoredBody = Omit<Body, 'content'> & { readonly content: StoredContent }

interface StoredInfo {
  readonly iteration?: string
  readonly cost?: string
  readonly labels: CheckpointVersion['info']['labels']
}

type StoredVersion = Omit<CheckpointVersion, 'body' | 'structure' | 'info'> & {
  readonly body: StoredBody
  readonly structure?: StoredBody | undefined
  readonly info: StoredInfo
}

type StoredFact =
  | Exclude<Fact, { kind: 'versionSaved' | 'blobKept' }>
  | (Omit<FactOf<'versionSaved'>, 'version'> & { readonly version: StoredVersion })
  | (Omit<FactOf<'blobKept'>, 'body'> & { readonly body: StoredBody })

const knownKinds: ReadonlySet<string> = new Set<Fact['kind']>([
  'versionSaved',
  'versionDropped',
  'leaseTaken',
  'leaseEnded',
  'tokensReserved',
  'blobKept',
  'blobDropped',
  'blobClaimed',
  'blobReleased',
  'requestRemembered',
  'requestsForgotten',
])

function toStored(fact: Fact): StoredFact {
  if (fact.kind === 'blobKept') return { ...fact, body: bodyToStored(fact.body) }
  if (fact.kind !== 'versionSaved') return fact
  const { body, structure, info, ...rest } = fact.version
  const { iteration, cost, labels } = info
  const version: StoredVersion = {
    ...rest,
    body: bodyToStored(body),
    structure: structure && bodyToStored(structure),
    info: {
      ...(iteration === undefined ? {} : { iteration: iteration.toString() }),
      ...(cost === undefined ? {} : { cost: Object.is(cost, -0) ? '-0' : String(cost) }),
      labels,
    },
  }
  return { ...fact, version }
}

function fromStored(fact: StoredFact, inline: Uint8Array): Fact {
  if (fact.kind === 'blobKept') return { ...fact, body: bodyFromStored(fact.body, inline) }
  if (fact.kind !== 'versionSaved') return fact
  const { body, structure, info, ...rest } = fact.version
  const { iteration, cost, labels } = info
  const version: CheckpointVersion = {
    ...rest,
    body: bodyFromStored(body, inline),
    structure:
      structure &&
      bodyFromStored(structure, body.content.kind === 'inline' ? inline.subarray(body.byteLength) : inline),
    info: {
      ...(iteration === undefined ? {} : { iteration: BigInt(iteration) }),
      ...(cost === undefined ? {} : { cost: Number(cost) }),
      labels,
    },
  }
  return { ...fact, version }
}

function bodyToStored({ content, ...body }: Body): StoredBody {
  if (content.kind === 'chunks') return { ...body, content }
  return { ...body, content: { kind: 'inline' } }
}

/** `inline` begins with the bytes of this body, if it lies there. They are copied: the record holds more than them. */
function bodyFromStored({ content, ...body }: StoredBody, inline: Uint8Array): Body {
  if (content.kind === 'chunks') return { ...body, content }
  return { ...body, content: { kind: 'inline', bytes: new Uint8Array(inline.subarray(0, body.byteLength)) } }
}
