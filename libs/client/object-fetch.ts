import type { Value } from '#libs/proto'
import type { ObjectGet, ObjectHolder, ReceivedBody, WantedObject } from '#libs/transfer'
import { decodeValue } from '#libs/value'

/** An object to fetch: where it is, and what is known of its value. */
export interface FetchedObject extends WantedObject {
  readonly structure: Value | undefined
}

/** Gets the body of an object in another way, after this failure. */
export type Recover = (object: FetchedObject, error: unknown) => Promise<ReceivedBody>

/** A value on its way here. Ten thousand at a time are usual: it is all that one costs, beside the promise of its value. */
export class ObjectFetch implements ObjectGet {
  readonly objectId: string
  readonly byteLength: number
  readonly holders: readonly ObjectHolder[]
  readonly xxh64: bigint | undefined
  readonly #object: FetchedObject
  readonly #what: string
  readonly #recover: Recover
  readonly #resolve: (value: unknown) => void
  readonly #reject: (error: unknown) => void

  /** `what` is what messages call the value; `resolve` gets it, or a promise of it. */
  constructor(
    object: FetchedObject,
    what: string,
    recover: Recover,
    resolve: (value: unknown) => void,
    reject: (error: unknown) => void,
  ) {
    this.objectId = object.objectId
    this.byteLength = object.byteLength
    this.holders = object.holders
    this.xxh64 = object.xxh64
    this.#object = object
    this.#what = what
    this.#recover = recover
    this.#resolve = resolve
    this.#reject = reject
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
    return decodeValue(structure ?? this.#object.structure, bytes, { view: true, what: this.#what })
  }
}
