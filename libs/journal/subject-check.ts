import { JournalCorruptError } from './journal-error.js'
import { type Obsolete, SubjectIndex } from './subject-index.js'
import { decodeHead, decodeSubjectRecord, headKey, type StoreHead, type SubjectRecord } from './subject-record.js'

/** What a store holds, found whole. */
export interface CheckedStore {
  readonly head: StoreHead
  readonly index: SubjectIndex
  /** Left behind by a crash: replaced, ended. */
  readonly obsolete: readonly Obsolete[]
  /** Written by a flush that was never committed. */
  readonly uncommitted: readonly Buffer[]
}

interface Walked {
  readonly number: number
  name: string
  liveFrom: number
  next: number
  bytes: number
  /** A record in front of this one is missing; no matter when the subject began anew behind it. */
  missing: number | undefined
  ended: boolean
}

/**
 * Reads through a whole store, in the order of its keys, and refuses it with a JournalCorruptError when anything of what
 * was acknowledged is missing or damaged.
 */
export async function checkStore(
  folder: string,
  entries: AsyncIterable<readonly (readonly [Buffer, Buffer])[]>,
  acknowledgedFlush: number,
): Promise<CheckedStore> {
  let head: StoreHead = { flush: 0, recordCount: 0 }
  const index = new SubjectIndex()
  const obsolete: Obsolete[] = []
  const uncommitted: Buffer[] = []
  let subject: Walked | undefined
  const end = (): void => {
    if (subject) endSubject(folder, subject, index, obsolete)
    subject = undefined
  }
  for await (const batch of entries) {
    for (const [key, value] of batch) {
      if (key.equals(headKey)) {
        head = decodeHead(value) ?? refuse(folder, 'its head is damaged, or of another version of costate')
        continue
      }
      const record = decodeSubjectRecord(key, value)
      if (record === undefined) return refuse(folder, `the record ${key.toString('hex')} is damaged`)
      if (record.flush > head.flush) {
        uncommitted.push(key)
        continue
      }
      if (record.subjectNumber !== subject?.number) end()
      subject = walk(subject, record, value.byteLength)
    }
  }
  end()
  if (head.flush < acknowledgedFlush) {
    const lost = acknowledgedFlush - head.flush
    return refuse(folder, `its end is missing: the last ${lost} of ${acknowledgedFlush} flushes were acknowledged`)
  }
  if (head.recordCount !== index.recordCount) {
    return refuse(folder, `it has ${index.recordCount} records in the place of ${head.recordCount}`)
  }
  return { head, index, obsolete, uncommitted }
}

function walk(subject: Walked | undefined, record: SubjectRecord, bytes: number): Walked {
  const { subjectNumber: number, recordNumber, name, anew, ended } = record
  const walked = subject ?? { number, name, liveFrom: 0, next: 0, bytes: 0, missing: undefined, ended: false }
  if (recordNumber !== walked.next) walked.missing ??= walked.next
  if (anew) {
    walked.missing = undefined
    walked.liveFrom = recordNumber
    walked.bytes = 0
  }
  walked.bytes += bytes
  walked.next = recordNumber + 1
  walked.ended = ended
  return walked
}

function endSubject(folder: string, walked: Walked, index: SubjectIndex, obsolete: Obsolete[]): void {
  const { number, name, liveFrom, next, bytes, missing, ended } = walked
  index.skip(number)
  if (ended) {
    obsolete.push({ subjectNumber: number, from: 0, before: next, bytes })
    return
  }
  if (missing !== undefined) refuse(folder, `record ${missing} of '${name}' is missing`)
  if (liveFrom > 0) obsolete.push({ subjectNumber: number, from: 0, before: liveFrom, bytes: 0 })
  index.restore({ name, number, liveFrom, next, bytes })
}

/** What to do is the same whatever is damaged. */
export function refuse(folder: string, what: string): never {
  throw new JournalCorruptError(
    `the journal in ${folder} cannot be used: ${what}, so facts that had been acknowledged are lost. ` +
      'Check the disk and restore the folder from a copy, or start with an empty folder',
  )
}
