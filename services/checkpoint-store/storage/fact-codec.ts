import type { FactSubject, SubjectCodec } from '#libs/journal'

import type { Fact, FactOf } from '../core/fact.js'
import type { Body, CheckpointVersion, Content } from '../core/state.js'

/**
 * Facts as JSON, so that a catalogue can be read with any tool. What JSON has no word for is text: bytes in base64, 64-bit
 * integers in decimal, a cost in the words of JavaScript (`NaN`, `-Infinity`, `-0`).
 */
export const factCodec: SubjectCodec<Fact> = {
  encode: (fact) => Buffer.from(JSON.stringify(toStored(fact))),
  decode: (bytes) => {
    const stored = JSON.parse(Buffer.from(bytes).toString()) as StoredFact
    if (!knownKinds.has(stored.kind)) {
      throw new Error(
        `the catalogue holds a fact '${stored.kind}', which this version does not know: upgrade the checkpoint-store`,
      )
    }
    return fromStored(stored)
  },
  subjectOf,
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
    case 'requestRemembered':
      return { name: `requests ${fact.shelf}`, does: 'adds' }
    case 'requestsForgotten':
      return { name: `requests ${fact.shelf}`, does: 'ends' }
    default:
      return fact satisfies never
  }
}

type StoredContent = Exclude<Content, { kind: 'inline' }> | { readonly kind: 'inline'; readonly bytes: string }
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

function fromStored(fact: StoredFact): Fact {
  if (fact.kind === 'blobKept') return { ...fact, body: bodyFromStored(fact.body) }
  if (fact.kind !== 'versionSaved') return fact
  const { body, structure, info, ...rest } = fact.version
  const { iteration, cost, labels } = info
  const version: CheckpointVersion = {
    ...rest,
    body: bodyFromStored(body),
    structure: structure && bodyFromStored(structure),
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
  return { ...body, content: { kind: 'inline', bytes: Buffer.from(content.bytes).toString('base64') } }
}

function bodyFromStored({ content, ...body }: StoredBody): Body {
  if (content.kind === 'chunks') return { ...body, content }
  return { ...body, content: { kind: 'inline', bytes: Buffer.from(content.bytes, 'base64') } }
}
