import type { FactCodec } from '#libs/journal'

import type { Fact, FactOf } from '../core/fact.js'
import type { CheckpointVersion, Structure } from '../core/state.js'

/**
 * Facts as JSON, so that a catalogue can be read with any tool. What JSON has no word for is text: bytes in base64, 64-bit
 * integers in decimal, a cost in the words of JavaScript (`NaN`, `-Infinity`, `-0`).
 */
export const factCodec: FactCodec<Fact> = {
  encode: (fact) => Buffer.from(JSON.stringify(fact.kind === 'checkpointSaved' ? toStored(fact) : fact)),
  decode: (bytes) => {
    const stored = JSON.parse(Buffer.from(bytes).toString()) as StoredFact
    if (!knownKinds.has(stored.kind)) {
      throw new Error(
        `the catalogue holds a fact '${stored.kind}', which this version does not know: upgrade the checkpoint-store`,
      )
    }
    return stored.kind === 'checkpointSaved' ? fromStored(stored) : stored
  },
}

type StoredStructure = Exclude<Structure, { kind: 'inline' }> | { readonly kind: 'inline'; readonly bytes: string }

interface StoredInfo {
  readonly iteration?: string
  readonly cost?: string
  readonly labels: CheckpointVersion['info']['labels']
}

type StoredVersion = Omit<CheckpointVersion, 'structure' | 'info'> & {
  readonly structure: StoredStructure
  readonly info: StoredInfo
}

type StoredSave = Omit<FactOf<'checkpointSaved'>, 'version'> & { readonly version: StoredVersion }
type StoredFact = Exclude<Fact, { kind: 'checkpointSaved' }> | StoredSave

const knownKinds: ReadonlySet<string> = new Set<Fact['kind']>([
  'checkpointSaved',
  'versionDropped',
  'checkpointDeleted',
  'blobKept',
  'blobUsed',
  'blobDropped',
  'requestRemembered',
])

function toStored({ version, ...fact }: FactOf<'checkpointSaved'>): StoredSave {
  const { structure, info, ...rest } = version
  const { iteration, cost, labels } = info
  return {
    ...fact,
    version: {
      ...rest,
      structure:
        structure.kind === 'inline'
          ? { kind: 'inline', bytes: Buffer.from(structure.bytes).toString('base64') }
          : structure,
      info: {
        ...(iteration === undefined ? {} : { iteration: iteration.toString() }),
        ...(cost === undefined ? {} : { cost: Object.is(cost, -0) ? '-0' : String(cost) }),
        labels,
      },
    },
  }
}

function fromStored({ version, ...fact }: StoredSave): FactOf<'checkpointSaved'> {
  const { structure, info, ...rest } = version
  const { iteration, cost, labels } = info
  return {
    ...fact,
    version: {
      ...rest,
      structure:
        structure.kind === 'inline' ? { kind: 'inline', bytes: Buffer.from(structure.bytes, 'base64') } : structure,
      info: {
        ...(iteration === undefined ? {} : { iteration: BigInt(iteration) }),
        ...(cost === undefined ? {} : { cost: Number(cost) }),
        labels,
      },
    },
  }
}
