/** What must be done. Effects expect no answer. */
export interface Effect {
  readonly kind: 'printScript'
  readonly pool: string
  /** For how many workers. */
  readonly count: number
}

/** Where `reconcile` puts what follows from an event. */
export interface Out {
  readonly effects: Effect[]
}

export function createOut(): Out {
  return { effects: [] }
}
