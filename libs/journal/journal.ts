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
