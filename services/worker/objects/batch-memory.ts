import type { ObjectId } from '#libs/domain'
import type { ObjectDescriptor } from '#libs/proto'

import type { HeldObject } from './object-store.js'

/** How long memory of which little is used waits for more to be released: mostly a batch is given up as it came. */
const sparseMs = 1_000

/**
 * The body of a batch as it came, in which its objects lie: five thousand buffers of their own would take longer to make than to receive,
 * and count as external memory, so that V8 marks its heap with each burst. When less than half of it is used, the objects that are left get
 * memory of their own; when none lies there, and nobody reads it, it is given back.
 */
export class BatchMemory {
  readonly #byteLength: number
  readonly #giveUp: () => void
  readonly #objects = new Set<BatchedObject>()
  #usedBytes = 0
  #readers = 0
  #isGivenUp = false
  #thinning: NodeJS.Timeout | undefined

  /** `giveUp` has the memory used again. */
  constructor({ byteLength }: Pick<Uint8Array, 'byteLength'>, giveUp: () => void) {
    this.#byteLength = byteLength
    this.#giveUp = giveUp
  }

  add(object: BatchedObject, byteLength: number): void {
    this.#objects.add(object)
    this.#usedBytes += byteLength
  }

  remove(object: BatchedObject, byteLength: number): void {
    if (!this.#objects.delete(object)) return
    this.#usedBytes -= byteLength
    if (this.#objects.size === 0) this.#leave()
    else if (this.#isSparse) this.#thinning ??= setTimeout(() => this.#thin(), sparseMs).unref()
  }

  /** Somebody reads what lies here, whatever is released meanwhile; the answer says that he is done. */
  hold(): () => void {
    this.#readers++
    let isHeld = true
    return () => {
      if (!isHeld) return
      isHeld = false
      this.#readers--
      this.#leave()
    }
  }

  get #isSparse(): boolean {
    return this.#usedBytes * 2 < this.#byteLength
  }

  #thin(): void {
    this.#thinning = undefined
    if (this.#isSparse) for (const object of [...this.#objects]) object.moveOut()
  }

  #leave(): void {
    if (this.#isGivenUp || this.#readers > 0 || this.#objects.size > 0) return
    this.#isGivenUp = true
    clearTimeout(this.#thinning)
    this.#giveUp()
  }
}

/** Where an object of a batch lies. */
export interface BatchPlace {
  readonly memory: BatchMemory
  readonly piece: Uint8Array
  readonly descriptor: ObjectDescriptor
}

/** An object that lies in the body of its batch until somebody asks for its bytes: they are memory of its own. */
export class BatchedObject implements HeldObject {
  readonly place = 'memory'
  readonly objectId: ObjectId
  readonly descriptor: ObjectDescriptor
  #place: BatchPlace | undefined
  #bytes: Uint8Array<ArrayBuffer> | undefined

  constructor(place: BatchPlace) {
    this.objectId = place.descriptor.objectId as ObjectId
    this.descriptor = place.descriptor
    this.#place = place
    place.memory.add(this, place.piece.byteLength)
  }

  /** Where it lies, for who holds the memory while he reads. */
  get batched(): BatchPlace | undefined {
    return this.#place
  }

  /** @throws Error when it was released before anybody asked for them. */
  get bytes(): Uint8Array<ArrayBuffer> {
    if (this.#bytes === undefined) this.moveOut()
    if (this.#bytes === undefined) throw new Error(`object ${this.objectId} was released: its bytes are gone`)
    return this.#bytes
  }

  moveOut(): void {
    if (this.#place === undefined) return
    // Of a Buffer a slice would be a view.
    this.#bytes = new Uint8Array(this.#place.piece)
    this.close()
  }

  close(): void {
    const place = this.#place
    this.#place = undefined
    place?.memory.remove(this, place.piece.byteLength)
  }
}
