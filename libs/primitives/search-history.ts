import type { Cluster } from '#libs/client'

/** What is known of the evaluations of a search, by their numbers. */
export interface HistoryState {
  /** Of the search's settings and the objective's code. */
  readonly fingerprint: string
  /** float64[n]; NaN for those that failed or are not done. */
  readonly values: Float64Array
  /** uint8[n]: 1 for those that are done. */
  readonly done: Uint8Array
  /** Why those that failed did. */
  readonly errors: ReadonlyMap<number, string>
}

/** Saves are so far apart at least. */
const saveIntervalMs = 2_000

/** Evaluations by their numbers, kept in the checkpoint-store under a name if there is one. */
export class SearchHistory {
  readonly #values: number[] = []
  readonly #done: number[] = []
  readonly errors = new Map<number, string>()
  readonly #fingerprint: string
  readonly #keep: ((state: HistoryState) => Promise<unknown>) | undefined
  #saving: Promise<unknown> = Promise.resolve()
  #savedAtMs = -Infinity
  #isDirty = false
  #failure: unknown

  constructor(fingerprint: string, keep?: (state: HistoryState) => Promise<unknown>) {
    this.#fingerprint = fingerprint
    this.#keep = keep
  }

  /**
   * The history that is kept under a study's name, or a new one.
   * @throws Error when what is kept there is of another search.
   */
  static async open(cluster: Cluster, study: string, fingerprint: string, restart: boolean): Promise<SearchHistory> {
    const name = `studies/${study}/history`
    const history = new SearchHistory(fingerprint, (state) => cluster.checkpoints.save(name, state))
    const kept = restart ? undefined : await cluster.checkpoints.load<HistoryState>(name)
    if (kept === undefined) return history
    if (kept.value.fingerprint !== fingerprint) {
      throw new Error(
        `study '${study}' holds another search: its ranges, method, seed, sizes or the objective's code were different; ` +
          'give another name, or restart: true to forget it',
      )
    }
    const { values, done, errors } = kept.value
    for (const [index, is] of done.entries()) if (is) history.record(index, values[index]!, errors.get(index))
    history.#isDirty = false
    return history
  }

  /** How many evaluations are known. */
  get count(): number {
    return this.#done.reduce((sum, is) => sum + is, 0)
  }

  has(index: number): boolean {
    return this.#done[index] === 1
  }

  /** NaN for one that failed. */
  valueOf(index: number): number {
    return this.#values[index] ?? NaN
  }

  record(index: number, value: number, error?: string): void {
    this.#values[index] = value
    this.#done[index] = 1
    if (error !== undefined) this.errors.set(index, error)
    this.#isDirty = true
  }

  /** Saves now and then. */
  saveSoon(): void {
    if (this.#keep === undefined || performance.now() - this.#savedAtMs < saveIntervalMs) return
    this.#save()
  }

  /** Resolves when all is saved. Throws when it could not be. */
  async flush(): Promise<void> {
    if (this.#keep && this.#isDirty) this.#save()
    await this.#saving
    if (this.#failure !== undefined) throw this.#failure as Error
  }

  #save(): void {
    this.#savedAtMs = performance.now()
    this.#saving = this.#saving.then(async () => {
      this.#isDirty = false
      await this.#keep?.({
        fingerprint: this.#fingerprint,
        values: Float64Array.from({ length: this.#values.length }, (_, index) => this.valueOf(index)),
        done: Uint8Array.from({ length: this.#done.length }, (_, index) => this.#done[index] ?? 0),
        errors: this.errors,
      })
    })
    this.#saving = this.#saving.catch((error: unknown) => {
      this.#failure ??= error
    })
  }
}
