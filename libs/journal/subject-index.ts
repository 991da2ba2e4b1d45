import type { SubjectRecord } from './subject-record.js'

/** A subject that is known: its records from `liveFrom` to before `next` are all there and are what a replay reads. */
export interface Subject {
  readonly name: string
  readonly number: number
  liveFrom: number
  next: number
  /** What its records hold, about. */
  bytes: number
}

/** Records of a subject that no longer matter: those from one to before another. */
export interface Obsolete {
  readonly subjectNumber: number
  readonly from: number
  readonly before: number
  readonly bytes: number
}

/** Which records matter. In memory; found again from the records themselves when a journal is opened. */
export class SubjectIndex {
  readonly #byName = new Map<string, Subject>()
  readonly #byNumber = new Map<number, Subject>()
  #nextNumber = 1
  /** How many records matter. */
  recordCount = 0
  /** What they hold, about. */
  bytes = 0

  find(name: string): Subject | undefined {
    return this.#byName.get(name)
  }

  /** Whether a replay reads the record. */
  isLive(subjectNumber: number, recordNumber: number): boolean {
    const subject = this.#byNumber.get(subjectNumber)
    return subject !== undefined && recordNumber >= subject.liveFrom && recordNumber < subject.next
  }

  /** Takes up a subject that has these records already. */
  restore(subject: Subject): void {
    this.#byName.set(subject.name, subject)
    this.#byNumber.set(subject.number, subject)
    this.recordCount += subject.next - subject.liveFrom
    this.bytes += subject.bytes
    this.skip(subject.number)
  }

  /** The number is taken, though the subject is no more. */
  skip(number: number): void {
    this.#nextNumber = Math.max(this.#nextNumber, number + 1)
  }

  /** A place for another record of the subject, and what no longer matters once it is written. */
  place(
    name: string,
    { anew, ended, bytes: added }: Pick<SubjectRecord, 'anew' | 'ended'> & { readonly bytes: number },
  ): { subjectNumber: number; recordNumber: number; obsolete: Obsolete | undefined } {
    const subject = this.#byName.get(name) ?? this.#begin(name)
    const recordNumber = subject.next++
    const subjectNumber = subject.number
    let obsolete: Obsolete | undefined
    if (ended || (anew && recordNumber > subject.liveFrom)) {
      const { liveFrom: from, bytes } = subject
      obsolete = { subjectNumber, from, before: ended ? recordNumber + 1 : recordNumber, bytes }
      this.recordCount -= recordNumber - subject.liveFrom
      this.bytes -= subject.bytes
      subject.liveFrom = recordNumber
      subject.bytes = 0
    }
    if (ended) {
      this.#byName.delete(name)
      this.#byNumber.delete(subjectNumber)
    } else {
      this.recordCount++
      this.bytes += added
      subject.bytes += added
    }
    return { subjectNumber, recordNumber, obsolete }
  }

  #begin(name: string): Subject {
    const subject = { name, number: this.#nextNumber++, liveFrom: 0, next: 0, bytes: 0 }
    this.#byName.set(name, subject)
    this.#byNumber.set(subject.number, subject)
    return subject
  }
}
