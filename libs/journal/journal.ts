/** Where a service keeps the facts that a restart must know. */
export interface Journal<Fact> {
  /** How far an appended fact is safe once `append` has resolved. */
  readonly durability: 'memory' | 'fsynced'
  /** Appends the facts in order, all or none. Rejects when they are not safe; the caller then ends its process. */
  append(facts: readonly Fact[]): Promise<void>
  /**
   * Every fact in the order of appending. A journal that knows subjects gives them subject by subject, in the order in
   * which the subjects began, and leaves out what was replaced or ended.
   */
  replay(): AsyncIterable<Fact>
  close(): Promise<void>
}

/** How facts become bytes and back. `decode` throws for what it does not know. */
export interface FactCodec<Fact> {
  encode(fact: Fact): Uint8Array
  decode(bytes: Uint8Array): Fact
}

/** What a fact is about, and what it does to what was known of that. */
export interface FactSubject {
  readonly name: string
  /** `replaces`: the subject's earlier facts no longer matter. `ends`: neither does this one, nothing is left of it. */
  readonly does: 'adds' | 'replaces' | 'ends'
}

/** A codec that says what each fact is about, so that a subject can be forgotten without touching the others. */
export interface SubjectCodec<Fact> extends FactCodec<Fact> {
  subjectOf(fact: Fact): FactSubject
  /** A large fact in parts that are replayed in its place and amount to the same. */
  split?(fact: Fact): Iterable<Fact>
}
