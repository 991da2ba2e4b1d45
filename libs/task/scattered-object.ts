const scatteredBrand = Symbol.for('costate.ScatteredObject')

/** A value in the memory of workers. May be an argument of tasks, at any depth. */
export class ScatteredObject<T> {
  static [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && scatteredBrand in value
  }

  /** @internal Carries the value's type. */
  declare readonly valueType: T
  readonly id: string
  readonly byteLength: number
  /** The workers that hold it. */
  readonly workerIds: readonly string[]
  readonly #actions: { readonly release: () => void; readonly fetch: () => Promise<T> }

  /** @internal Clusters make scattered objects. */
  constructor(
    id: string,
    facts: { readonly byteLength: number; readonly workerIds: readonly string[] },
    actions: { readonly release: () => void; readonly fetch: () => Promise<T> },
  ) {
    this.id = id
    this.byteLength = facts.byteLength
    this.workerIds = facts.workerIds
    this.#actions = actions
  }

  /** @internal */
  get [scatteredBrand](): true {
    return true
  }

  /** The value, brought back. */
  result(): Promise<T> {
    return this.#actions.fetch()
  }

  /** Gives the object up: workers forget it once no task needs it. */
  release(): void {
    this.#actions.release()
  }
}
