import { type ArrayStream, chunkBytesOf, type ChunkOf, type ChunkOptions, chunksOfValue } from './array-chunks.js'

const scatteredBrand = Symbol.for('costate.ScatteredObject')

/** What a cluster does for a handle. */
interface ScatteredActions<T> {
  release(): void
  fetch(): Promise<T>
  stream?(chunkBytes: number): ReturnType<ArrayStream>
}

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
  readonly #actions: ScatteredActions<T>

  /** @internal Clusters make scattered objects. */
  constructor(
    id: string,
    facts: { readonly byteLength: number; readonly workerIds: readonly string[] },
    actions: ScatteredActions<T>,
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

  /**
   * A numeric array in pieces, in order, brought while they are used: see `TaskFuture.chunks`.
   *
   * @throws TypeError for a value that is no numeric array; MeshError UNAVAILABLE or DATA_LOSS when the rest cannot be had.
   */
  async *chunks(options: ChunkOptions = {}): AsyncGenerator<ChunkOf<T>, void> {
    const chunkBytes = chunkBytesOf(options)
    const stream =
      this.#actions.stream?.(chunkBytes) ??
      chunksOfValue(await this.result(), chunkBytes, `the scattered value ${this.id}`)
    for await (const chunk of stream) yield chunk as ChunkOf<T>
  }

  /** Gives the object up: workers forget it once no task needs it. */
  release(): void {
    this.#actions.release()
  }
}
