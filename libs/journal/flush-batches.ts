import type { SubjectCodec } from './journal.js'
import type { Obsolete, SubjectIndex } from './subject-index.js'
import { encodeHead, encodeSubjectRecord, headKey, recordKey } from './subject-record.js'

/** What is written at once. */
export interface WriteBatch {
  readonly puts: { readonly key: Buffer; readonly value: Buffer; readonly ended: boolean }[]
  /** What no longer matters once the whole flush is written. */
  readonly obsolete: readonly Obsolete[]
  /** Whether this is all of the flush. */
  readonly isWhole: boolean
}

interface Gathered {
  readonly anew: boolean
  readonly facts: Uint8Array[]
}

/** More than this is not encoded at a stretch: between two batches the process does other things. */
const batchBytes = 2 ** 20

/** A flush in batches of bounded size, one record per subject in each. The last one holds the head, which commits all. */
export function* batchesOf<Fact>(
  facts: Iterable<Fact>,
  flush: number,
  codec: SubjectCodec<Fact>,
  index: SubjectIndex,
): Generator<WriteBatch> {
  const gathered = new Map<string, Gathered>()
  let puts: WriteBatch['puts'] = []
  let obsolete: Obsolete[] = []
  let bytes = 0
  let isFirst = true

  const put = (name: string, { anew, facts: encoded }: Gathered, ended: boolean): void => {
    const recordBytes = encoded.reduce((sum, fact) => sum + fact.byteLength, 0)
    const place = index.place(name, { anew, ended, bytes: recordBytes })
    if (place.obsolete) obsolete.push(place.obsolete)
    const key = recordKey(place.subjectNumber, place.recordNumber)
    puts.push({ key, value: encodeSubjectRecord(key, { name, flush, anew, ended, facts: encoded }), ended })
  }
  const take = (isLast = false): WriteBatch => {
    for (const [name, record] of gathered) put(name, record, false)
    gathered.clear()
    const batch = { puts, obsolete, isWhole: isFirst && isLast }
    isFirst = false
    puts = []
    obsolete = []
    bytes = 0
    return batch
  }

  for (const whole of facts) {
    for (const fact of codec.split?.(whole) ?? [whole]) {
      const { name, does } = codec.subjectOf(fact)
      if (does === 'ends') {
        gathered.delete(name)
        // What was never written needs no end.
        if (index.find(name)) put(name, { anew: true, facts: [] }, true)
        bytes += name.length
        if (bytes >= batchBytes) yield take()
        continue
      }
      const encoded = codec.encode(fact)
      bytes += encoded.byteLength
      if (does === 'replaces') {
        // It takes its place behind those that came since, as in the order of facts.
        gathered.set(name, { anew: true, facts: [encoded] })
      } else {
        const record = gathered.get(name)
        if (record) record.facts.push(encoded)
        else gathered.set(name, { anew: false, facts: [encoded] })
      }
      if (bytes >= batchBytes) yield take()
    }
  }
  const last = take(true)
  last.puts.push({ key: headKey, value: encodeHead({ flush, recordCount: index.recordCount }), ended: false })
  yield last
}
