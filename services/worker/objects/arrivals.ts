import { Status } from 'nice-grpc-common'

import type { ObjectId } from '#libs/domain'
import { type Bytes, partOf, segmentBytes } from '#libs/memory'
import { DigestAlgorithm, type Value } from '#libs/proto'
import { type Source, TransferError } from '#libs/transfer'

/** How long somebody waits here for an object of which nothing has come yet. */
const mostWaitMs = 30_000
/** How long it is remembered that an object does not come: who asks a little later need not wait for it. */
const refusalMs = 10_000

/** What is known of it from the beginning, and where its bytes come to lie: asked for when somebody wants to pass them on. */
export interface ArrivingHeader {
  readonly structure: Value | undefined
  readonly byteLength: number
}
interface ArrivingBytes {
  readonly bytes: Bytes
}

/** An object on its way into this worker's memory, as whoever receives it sees it. */
export interface Arrival {
  /** So much more is here. */
  advance(byteLength: number): void
  /** All of it is here and is what was sent. */
  complete(digest: Buffer): void
  /** The rest does not come. */
  fail(): void
}

/** What is arriving here, so that others can have it at the same time; and who waits for what has not begun to. */
export interface Arrivals {
  begin(objectId: ObjectId, header: ArrivingHeader, place: ArrivingBytes): Arrival
  /** As it can be sent on, as far as it is here. */
  sourceOf(objectId: ObjectId): Source | undefined
  /** Resolves when there may be something to have: it begins to arrive, or is stored. Rejects when it is refused here. */
  news(objectId: ObjectId): Promise<void>
  /** It is here, however it came. */
  noteStored(objectId: ObjectId): void
  /** It is looked for now, whatever was said before. */
  expect(objectId: ObjectId): void
  /** It will not come: those who wait for it look elsewhere. */
  refuse(objectId: ObjectId): void
}

interface Waiter {
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

export function createArrivals(): Arrivals {
  const arriving = new Map<ObjectId, ArrivingObject>()
  const waiting = new Map<ObjectId, Set<Waiter>>()
  const refused = new Map<ObjectId, NodeJS.Timeout>()

  function expectAgain(objectId: ObjectId): void {
    clearTimeout(refused.get(objectId))
    refused.delete(objectId)
  }

  function tell(objectId: ObjectId, how: (waiter: Waiter) => void): void {
    const waiters = waiting.get(objectId)
    waiting.delete(objectId)
    for (const waiter of waiters ?? []) how(waiter)
  }

  return {
    begin: (objectId, header, place) => {
      const known = arriving.has(objectId)
      const arrival = new ArrivingObject(objectId, header, place)
      const leave = (): void => {
        if (arriving.get(objectId) === arrival) arriving.delete(objectId)
      }
      if (!known) arriving.set(objectId, arrival)
      expectAgain(objectId)
      tell(objectId, ({ resolve }) => resolve())
      return {
        advance: (byteLength) => arrival.advance(byteLength),
        complete: (digest) => {
          leave()
          arrival.complete(digest)
        },
        fail: () => {
          leave()
          arrival.fail()
        },
      }
    },
    sourceOf: (objectId) => arriving.get(objectId)?.source(),
    news: (objectId) =>
      new Promise((resolve, reject) => {
        if (refused.has(objectId)) {
          reject(notComing(objectId))
          return
        }
        const waiters = waiting.get(objectId) ?? new Set()
        waiting.set(objectId, waiters)
        const over = (): void => {
          clearTimeout(timer)
          waiters.delete(waiter)
          if (waiters.size === 0 && waiting.get(objectId) === waiters) waiting.delete(objectId)
        }
        const waiter: Waiter = {
          resolve: () => {
            over()
            resolve()
          },
          reject: (error) => {
            over()
            reject(error)
          },
        }
        const timer = setTimeout(waiter.resolve, mostWaitMs).unref()
        waiters.add(waiter)
      }),
    noteStored: (objectId) => tell(objectId, ({ resolve }) => resolve()),
    expect: expectAgain,
    refuse: (objectId) => {
      expectAgain(objectId)
      refused.set(objectId, setTimeout(() => refused.delete(objectId), refusalMs).unref())
      tell(objectId, ({ reject }) => reject(notComing(objectId)))
    },
  }
}

/** The beginning of an object. */
class ArrivingObject {
  readonly #objectId: ObjectId
  readonly #header: ArrivingHeader
  readonly #place: ArrivingBytes
  readonly #waiting = new Set<() => void>()
  #position = 0
  #digest: Buffer | undefined
  #failure: TransferError | undefined

  constructor(objectId: ObjectId, header: ArrivingHeader, place: ArrivingBytes) {
    this.#objectId = objectId
    this.#header = header
    this.#place = place
  }

  advance(byteLength: number): void {
    this.#position += byteLength
    this.#wake()
  }

  complete(digest: Buffer): void {
    this.#digest = digest
    this.#wake()
  }

  fail(): void {
    // What came whole and is refused all the same is not what was sent: nobody may go on from there.
    const isDamaged = this.#position === this.#header.byteLength
    this.#failure = isDamaged ? damaged(this.#objectId) : notComing(this.#objectId)
    this.#wake()
  }

  source(): Source {
    // Asked for now: when it is given up, or released, the memory stays as long as somebody has this.
    const { bytes } = this.#place
    return {
      header: { ...this.#header, digestAlgorithm: DigestAlgorithm.XXH64 },
      read: (offset) => this.#readFrom(bytes, offset),
      arriving: {
        until: (position) => this.#until(() => this.#position > position),
        digest: async () => {
          await this.#until(() => this.#digest !== undefined)
          return this.#digest as Buffer
        },
      },
    }
  }

  async *#readFrom(bytes: Bytes, offset: number): AsyncGenerator<Uint8Array, void> {
    for (let at = offset; at < bytes.byteLength;) {
      await this.#until(() => this.#position > at)
      const end = Math.min(this.#position, at + segmentBytes)
      yield partOf(bytes, at, end)
      at = end
    }
  }

  async #until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      if (this.#failure) throw this.#failure
      await new Promise<void>((resolve) => this.#waiting.add(resolve))
    }
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve()
    this.#waiting.clear()
  }
}

function notComing(objectId: ObjectId): TransferError {
  return new TransferError(
    Status.UNAVAILABLE,
    'NOT_COMING',
    `object ${objectId} does not come to this worker: get it elsewhere`,
  )
}

function damaged(objectId: ObjectId): TransferError {
  return new TransferError(Status.DATA_LOSS, 'ARRIVED_DAMAGED', `object ${objectId} has come to this worker damaged`)
}
