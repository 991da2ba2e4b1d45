/** One figure of ours beside the peer's, in the row's unit. */
export interface Case {
  /** Which of the row's cases, where it has several. */
  readonly name?: string
  readonly ours: number
  /** Null, like `theirs`, where the peer is missing. */
  readonly peer: string | null
  readonly theirs: number | null
}

/** What running a row gave. */
export interface Measurement {
  /** At least one; the row's figure is the worst of them. */
  readonly cases: readonly Case[]
  readonly note?: string
}
