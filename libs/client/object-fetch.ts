import type { Value } from '#libs/proto'
import type { ObjectGet, ObjectHolder, ReceivedBody, WantedObject } from '#libs/transfer'
import { decodeValue } from '#libs/value'

/** An object to fetch: where it is, and what is known of its value. */
export interface FetchedObject extends WantedObject {
  readonly structure: Value | undefined
  /** What messages call the value. */
  readonly what: string
}

/** Gets the body of an object in another way, after this failure. */
export type Recover = (object: FetchedObject, error: unknown) => Promise<ReceivedBody>

/** A value on its way here. Ten thousand at a time are usual: it is all that one costs, beside the promise of its value. */
export class ObjectFetch implements ObjectGet {
  readonly #object: FetchedObject
  readonly #recover: Recover
  readonly #resolve: (value: unknown) => void
  readonly #reject: (error: unknown) => void

  /** `resolve` gets the value, or a promise of it. */
  constructor(
    object: FetchedObject,
    recover: Recover,
    resolve: (value: unknown) => void,
    reject: (error: unknown) => void,
  ) {
    this.#object = object
    this.#recover = recover
    this.#resolve = resolve
    this.#reject = reject
  }

  get objectId(): string {
    return this.#object.objectId
  }

  get byteLength(): number {
    return this.#object.byteLength
  }

  get holders(): readonly ObjectHolder[] {
    return this.#object.holders
  }

  get xxh64(): bigint | undefined {
    return this.#object.xxh64
  }

  moved(body: ReceivedBody): void {
    try {
      this.#resolve(this.#decode(body))
    } catch (error) {
      this.#reject(error)
    }
  }

  failed(error: unknown): void {
    this.#resolve(this.#recover(this.#object, error).then((body) => this.#decode(body)))
  }

  #decode({ structure, bytes }: ReceivedBody): unknown {
    const { structure: known, what } = this.#object
    return decodeValue(structure ?? known, bytes, { view: true, what })
  }
}
