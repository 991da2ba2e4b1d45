import type { FactSubject, SubjectCodec } from '#libs/journal'

import type { Fact } from '../core/fact.js'

/** Facts as JSON, so that a journal can be read with any tool. */
export const factCodec: SubjectCodec<Fact> = {
  encode: (fact) => Buffer.from(JSON.stringify(fact)),
  decode: (bytes) => {
    const fact = JSON.parse(Buffer.from(bytes).toString()) as Fact
    if (!knownKinds.has(fact.kind)) {
      throw new Error(
        `the journal holds a fact '${fact.kind}', which this version does not know: upgrade the provisioner`,
      )
    }
    return fact
  },
  subjectOf,
}

/** What a fact is about: a submit whose jobs have ended leaves nothing. */
export function subjectOf(fact: Fact): FactSubject {
  switch (fact.kind) {
    case 'submitIntended':
    case 'submitAccepted':
    case 'allocationRegistered':
    case 'allocationEnded':
      return { name: `submit ${fact.key}`, does: 'adds' }
    case 'submissionEnded':
      return { name: `submit ${fact.key}`, does: 'ends' }
    case 'poolScaled':
      return { name: `scale ${fact.pool}`, does: 'replaces' }
    case 'poolPaused':
      return { name: `pause ${fact.pool}`, does: 'replaces' }
    case 'poolResumed':
      return { name: `pause ${fact.pool}`, does: 'ends' }
    case 'coreTimeSpent':
      return { name: `spent ${fact.pool}`, does: 'replaces' }
    case 'nodeExcluded':
      return { name: `node ${fact.node}`, does: 'replaces' }
    case 'nodeReadmitted':
      return { name: `node ${fact.node}`, does: 'ends' }
    default:
      return fact satisfies never
  }
}

const knownKinds: ReadonlySet<string> = new Set<Fact['kind']>([
  ...(['submitIntended', 'submitAccepted', 'allocationRegistered', 'allocationEnded', 'submissionEnded'] as const),
  ...(['poolScaled', 'poolPaused', 'poolResumed', 'coreTimeSpent', 'nodeExcluded', 'nodeReadmitted'] as const),
])
