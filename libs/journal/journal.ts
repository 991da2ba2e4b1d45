/** Where a service keeps the facts that a restart must know. */
export interface Journal<Fact> {
  /** How far an appended fact is safe once `append` has resolved. */
  readonly durability: 'memory' | 'fsynced'
  /** Appends the facts in order, all or none. Rejects when they are not safe; the caller then ends its process. */
  append(facts: readonly Fact[]): Promise<void>
  /** Every fact in the order of appending. */
  replay(): AsyncIterable<Fact>
  close(): Promise<void>
}

/** A journal whose facts can be exchanged for fewer ones that amount to the same. */
export interface CompactingJournal<Fact> extends Journal<Fact> {
  /** How many facts a replay would give. */
  readonly factCount: number
  /**
   * Replaces every fact appended so far, all or none. `facts` is read bit by bit: what it is made from must not change
   * until this settles. Rejects when there is no room for the new facts, and goes on with what it had.
   */
  compact(facts: Iterable<Fact>): Promise<void>
}
